package org.mixtraining.tracking;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.Locale;
import java.util.Map;

/**
 * MLflow's tracking server over its REST API 2.0.
 *
 * @see <a href="https://mlflow.org/docs/latest/rest-api.html">MLflow REST API</a>
 */
final class MlflowServer {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Duration CONNECT = Duration.ofSeconds(5);
  private static final Duration ANSWER = Duration.ofSeconds(10);
  private static final int NOT_FOUND = 404;

  private final HttpClient http = HttpClient.newBuilder().connectTimeout(CONNECT).build();
  private final String api;
  private final String authorization;

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
   * @return what it answers; a missing node where there is no such thing
   * @throws IOException if it cannot be reached or refuses
   */
  JsonNode get(String path, String name, String value) throws IOException {
    String query = name + "=" + URLEncoder.encode(value, StandardCharsets.UTF_8);
    return send(path, request(path + "?" + query).GET());
  }

  /**
   * @param body as JSON
   * @throws IOException if it cannot be reached or refuses
   */
  JsonNode post(String path, Object body) throws IOException {
    String json = JSON.writeValueAsString(body);
    JsonNode answer = send(path, request(path).POST(BodyPublishers.ofString(json)));
    if (answer.isMissingNode()) {
      throw new IOException("%s%s is not there".formatted(api, path));
    }
    return answer;
  }

  private HttpRequest.Builder request(String path) {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(api + path))
            .timeout(ANSWER)
            .header("Content-Type", "application/json");
    return authorization.isEmpty() ? request : request.header("Authorization", authorization);
  }

  private JsonNode send(String path, HttpRequest.Builder request) throws IOException {
    HttpResponse<String> answer;
    try {
      answer = http.send(request.build(), BodyHandlers.ofString());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("%s%s: interrupted".formatted(api, path), e);
    } catch (IOException e) {
      throw new IOException("%s%s: %s".formatted(api, path, e), e);
    }
    if (answer.statusCode() == NOT_FOUND) {
      return JSON.missingNode();
    }
    if (answer.statusCode() / 100 != 2) {
      throw new IOException(
          String.format(
              Locale.ROOT,
              "%s%s answers %d: %s",
              api,
              path,
              answer.statusCode(),
              answer.body().lines().findFirst().orElse("")));
    }
    return JSON.readTree(answer.body());
  }
}
