package org.mixtraining.tracking;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.Map;
import java.util.Set;

/**
 * MLflow's tracking server over its REST API 2.0.
 *
 * @see <a href="https://mlflow.org/docs/latest/rest-api.html">MLflow REST API</a>
 */
final class MlflowServer {
  private static final JsonMapper JSON =
      JsonMapper.builder().enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS).build();
  private static final Duration CONNECT = Duration.ofSeconds(5);
  private static final Duration ANSWER = Duration.ofSeconds(10);

  /** A model may be of some hundred MB. */
  private static final Duration STORED = Duration.ofMinutes(5);

  private static final int REDIRECTS = 5;
  private static final int SHOWN = 300;

  /** Status codes of transient refusals: too slow, too early, too many requests. */
  private static final Set<Integer> PASSING = Set.of(408, 425, 429);

  private final HttpClient http =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(CONNECT).build();
  private final String api;
  private final String authorization;

  /** A permanent refusal by the server, for which a retry is useless. */
  static final class Refusal extends IOException {
    private static final long serialVersionUID = 1L;

    private final int status;

    private Refusal(int status, String message) {
      super(message);
      this.status = status;
    }

    /** Whether the object does not exist, or has been deleted. */
    boolean ofWhatIsGone() {
      return status == 404 || getMessage().contains("'active' state");
    }

    /** Whether the content may be the cause, rather than credentials or address. */
    boolean ofContent() {
      return status == 400 || status == 413 || status == 422;
    }
  }

  /**
   * @param environment with the credentials that MLflow's own clients take from it
   */
  MlflowServer(String uri, Map<String, String> environment) {
    this.api = uri.replaceAll("/+$", "") + "/api/2.0/mlflow/";
    this.authorization = authorization(environment);
  }

  private static String authorization(Map<String, String> environment) {
    String token = environment.getOrDefault("MLFLOW_TRACKING_TOKEN", "");
    String user = environment.getOrDefault("MLFLOW_TRACKING_USERNAME", "");
    if (!token.isEmpty()) {
      return "Bearer " + token;
    }
    String password = environment.getOrDefault("MLFLOW_TRACKING_PASSWORD", "");
    byte[] pair = (user + ":" + password).getBytes(StandardCharsets.UTF_8);
    return user.isEmpty() ? "" : "Basic " + Base64.getEncoder().encodeToString(pair);
  }

  /**
   * @return the answer; a missing node if the object does not exist
   * @throws Refusal if a retry is useless
   * @throws IOException if it cannot be reached or does not serve now
   */
  JsonNode get(String path, String name, String value) throws IOException {
    String query = "?" + name + "=" + URLEncoder.encode(value, StandardCharsets.UTF_8);
    try {
      return send("GET", path + query, BodyPublishers.noBody());
    } catch (Refusal e) {
      if (e.status == 404) {
        return JSON.missingNode();
      }
      throw e;
    }
  }

  /**
   * @param body as JSON
   * @throws Refusal if a retry is useless
   * @throws IOException if it cannot be reached or does not serve now
   */
  JsonNode post(String path, Object body) throws IOException {
    return send("POST", path, BodyPublishers.ofString(JSON.writeValueAsString(body)));
  }

  /**
   * Stores an artifact by the server's proxy.
   *
   * @param path below the proxy's root, of letters, digits, blanks and the like
   */
  void put(String path, byte[] content) throws IOException {
    send(
        "PUT",
        "../mlflow-artifacts/artifacts/" + escaped(path),
        BodyPublishers.ofByteArray(content));
  }

  private static String escaped(String path) throws IOException {
    try {
      return new URI(null, null, path, null).getRawPath();
    } catch (URISyntaxException e) {
      throw new IOException(e.getMessage(), e);
    }
  }

  private JsonNode send(String method, String path, BodyPublisher body) throws IOException {
    URI uri = URI.create(api + path).normalize();
    for (int i = 0; i < REDIRECTS; i++) {
      HttpResponse<String> answer = ask(method, uri, body);
      int status = answer.statusCode();
      if (status / 100 == 2) {
        return json(uri, answer.body());
      }
      String location = answer.headers().firstValue("Location").orElse("");
      if (status / 100 != 3 || location.isEmpty()) {
        String said = "%s answers %s: %s".formatted(uri, status, reason(answer.body()));
        throw status / 100 == 4 && !PASSING.contains(status)
            ? new Refusal(status, said)
            : new IOException(said);
      }
      URI next = uri.resolve(location.replace(" ", "%20"));
      if (!next.getScheme().startsWith(uri.getScheme()) || !uri.getHost().equals(next.getHost())) {
        // It must not see the credentials.
        throw new IOException("%s redirects to another server, %s".formatted(uri, next));
      }
      uri = next;
    }
    throw new IOException("%s%s has too many redirects".formatted(api, path));
  }

  private HttpResponse<String> ask(String method, URI uri, BodyPublisher body) throws IOException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(uri)
            .timeout(method.equals("PUT") ? STORED : ANSWER)
            .header(
                "Content-Type",
                method.equals("PUT") ? "application/octet-stream" : "application/json")
            .method(method, body);
    if (!authorization.isEmpty()) {
      request.header("Authorization", authorization);
    }
    try {
      return http.send(request.build(), BodyHandlers.ofString());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("%s: interrupted".formatted(uri), e);
    } catch (IOException e) {
      throw new IOException("%s: %s".formatted(uri, e), e);
    }
  }

  private static JsonNode json(URI uri, String body) throws IOException {
    try {
      JsonNode answer = JSON.readTree(body.isBlank() ? "{}" : body);
      if (answer.isObject()) {
        return answer;
      }
    } catch (JsonProcessingException e) {
      // as any other answer that is no object
    }
    throw new IOException(
        "%s did not answer with a JSON object, so it is not MLflow: %s"
            .formatted(uri, start(body)));
  }

  /** MLflow's own message, if there is one. */
  private static String reason(String body) {
    try {
      JsonNode message = JSON.readTree(body).path("message");
      return start(message.isTextual() ? message.asText() : body);
    } catch (JsonProcessingException e) {
      return start(body);
    }
  }

  private static String start(String text) {
    String line = text.lines().filter(l -> !l.isBlank()).findFirst().orElse("").strip();
    return line.length() <= SHOWN ? line : line.substring(0, SHOWN) + "…";
  }
}
