package org.mixtraining.tracking;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.mixtraining.results.RunRow.Status;

/** A run as a small server hears of it that answers as MLflow's does. */
class MlflowTest {
  private record Call(String path, JsonNode body, String authorization) {}

  private final List<Call> calls = new CopyOnWriteArrayList<>();
  private final AtomicInteger refusals = new AtomicInteger();
  private volatile boolean known;
  private HttpServer server;

  @BeforeEach
  void start() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/api/2.0/mlflow/", this::answer);
    server.start();
  }

  @AfterEach
  void stop() {
    server.stop(0);
  }

  private void answer(HttpExchange exchange) throws IOException {
    String path = exchange.getRequestURI().getPath().replace("/api/2.0/mlflow/", "");
    byte[] body = exchange.getRequestBody().readAllBytes();
    if (refusals.getAndDecrement() > 0) {
      exchange.sendResponseHeaders(503, -1);
      exchange.close();
      return;
    }
    calls.add(
        new Call(
            path,
            new ObjectMapper().readTree(body),
            exchange.getRequestHeaders().getFirst("Authorization")));
    boolean missing = path.equals("experiments/get-by-name") && !known;
    String answer =
        switch (path) {
          case "experiments/get-by-name" -> "{\"experiment\":{\"experiment_id\":\"5\"}}";
          case "experiments/create" -> "{\"experiment_id\":\"5\"}";
          case "runs/search" -> known ? "{\"runs\":[{\"info\":{\"run_id\":\"abc\"}}]}" : "{}";
          case "runs/create" -> "{\"run\":{\"info\":{\"run_id\":\"abc\"}}}";
          default -> "{}";
        };
    byte[] bytes = answer.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(missing ? 404 : 200, bytes.length);
    exchange.getResponseBody().write(bytes);
    exchange.close();
  }

  private Mlflow mlflow(Map<String, String> environment) {
    String uri = "http://127.0.0.1:" + server.getAddress().getPort() + "/";
    return new Mlflow(new MlflowServer(uri, environment), "drawn");
  }

  private List<String> paths() {
    return calls.stream().map(Call::path).toList();
  }

  private List<JsonNode> bodies(String path) {
    return calls.stream().filter(call -> call.path().equals(path)).map(Call::body).toList();
  }

  private void train(Mlflow mlflow, Status end) {
    try (mlflow) {
      mlflow.run(Rows.run(Status.RUNNING));
      for (int epoch = 1; epoch <= 3; epoch++) {
        mlflow.epoch(Rows.epoch(epoch));
        mlflow.run(Rows.run(Status.RUNNING));
      }
      mlflow.run(Rows.run(end));
    }
  }

  private void assertToldInFull() {
    assertThat(bodies("runs/log-batch").stream().filter(body -> body.has("metrics")))
        .extracting(body -> body.at("/metrics/0/step").asInt())
        .containsExactly(1, 2, 3);
    assertThat(bodies("runs/update"))
        .last()
        .satisfies(body -> assertThat(body.get("status").asText()).isEqualTo("FINISHED"));
  }

  @Test
  void aRunIsMadeWithItsConfigurationAndEndsWithItsStatus() {
    train(mlflow(Map.of()), Status.FINISHED);

    assertThat(paths())
        .containsExactly(
            "experiments/get-by-name",
            "experiments/create",
            "runs/search",
            "runs/create",
            "runs/log-batch",
            "runs/log-batch",
            "runs/log-batch",
            "runs/log-batch",
            "runs/update");
    JsonNode created = bodies("runs/create").get(0);
    assertThat(created.get("experiment_id").asText()).isEqualTo("5");
    assertThat(created.get("run_name").asText()).isEqualTo("first");
    assertThat(created.at("/tags/0/key").asText()).isEqualTo("mixtraining.run_id");
    assertThat(bodies("runs/log-batch").get(0).get("params"))
        .extracting(p -> p.get("key").asText() + " = " + p.get("value").asText())
        .containsExactly("data.ssl = ", "data.tasks = []", "run.seed = 7");
    assertThat(bodies("runs/log-batch").get(1).get("metrics"))
        .extracting(m -> m.get("key").asText() + " " + m.get("value").asDouble())
        .contains("train/accuracy 0.125", "cost/tflop 2.0")
        .doesNotContain("validation/loss NaN");
    assertThat(bodies("runs/update").get(0).get("end_time").asLong())
        .isEqualTo(Rows.NOON.plusSeconds(60).toEpochMilli());
    assertToldInFull();
  }

  @Test
  void aRunThatGoesOnIsFoundByItsTag() {
    known = true;
    train(mlflow(Map.of()), Status.INTERRUPTED);

    assertThat(paths()).doesNotContain("runs/create", "experiments/create");
    assertThat(bodies("runs/search").get(0).get("filter").asText())
        .isEqualTo("tags.`mixtraining.run_id` = 'first'");
    assertThat(bodies("runs/update"))
        .extracting(body -> body.get("status").asText())
        .containsExactly("RUNNING", "KILLED");
  }

  @Test
  void whatAnOutageSwallowedIsToldAfterIt() {
    refusals.set(3);
    train(mlflow(Map.of()), Status.FINISHED);

    assertToldInFull();
    assertThat(bodies("runs/create")).hasSize(1);
  }

  @Test
  void aServerThatIsNotThereIsNoReasonToFail() throws IOException {
    int free;
    try (var socket = new ServerSocket(0)) {
      free = socket.getLocalPort();
    }
    var nowhere = new MlflowServer("http://127.0.0.1:" + free, Map.of());

    train(new Mlflow(nowhere, "drawn"), Status.FINISHED);

    assertThat(calls).isEmpty();
  }

  @Test
  void credentialsComeFromTheEnvironment() {
    train(mlflow(Map.of("MLFLOW_TRACKING_TOKEN", "t0ken")), Status.FINISHED);
    assertThat(calls).extracting(Call::authorization).containsOnly("Bearer t0ken");

    calls.clear();
    train(
        mlflow(Map.of("MLFLOW_TRACKING_USERNAME", "me", "MLFLOW_TRACKING_PASSWORD", "word")),
        Status.FINISHED);
    assertThat(calls).extracting(Call::authorization).containsOnly("Basic bWU6d29yZA==");
  }
}
