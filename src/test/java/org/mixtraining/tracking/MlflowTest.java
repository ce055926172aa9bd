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
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiFunction;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mixtraining.config.ModelConfig.Pooling;
import org.mixtraining.formats.TrainedModel;
import org.mixtraining.results.RunRow.Status;
import org.mixtraining.train.Models;

/** A run as a small server hears of it that answers as MLflow's does. */
class MlflowTest {
  private record Call(String path, JsonNode body, String authorization) {}

  private final List<Call> calls = new CopyOnWriteArrayList<>();
  private final AtomicInteger refusals = new AtomicInteger();
  private volatile boolean known;
  private volatile BiFunction<String, JsonNode, Answer> exception = (path, body) -> null;
  private final List<String> warnings = new CopyOnWriteArrayList<>();
  private HttpServer server;
  private String register = "";
  private String artifacts = "mlflow-artifacts:/5/abc/artifacts";
  private final Map<String, byte[]> stored = new ConcurrentHashMap<>();
  private String config = Rows.run(Status.RUNNING).setup().config();

  /** What the server answers in place of what it otherwise would. */
  private record Answer(int status, String body, String location) {
    static Answer refusal(int status, String message) {
      return new Answer(
          status, "{\"error_code\":\"REFUSED\",\"message\":\"%s\"}".formatted(message), "");
    }
  }

  @BeforeEach
  void start() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/api/2.0/mlflow/", this::answer);
    server.createContext("/api/2.0/mlflow-artifacts/artifacts/", this::store);
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
    JsonNode json = new ObjectMapper().readTree(body);
    Answer other = exception.apply(path, json);
    if (other != null) {
      if (!other.location().isEmpty()) {
        exchange.getResponseHeaders().add("Location", other.location());
      }
      send(exchange, other.status(), other.body());
      return;
    }
    calls.add(new Call(path, json, exchange.getRequestHeaders().getFirst("Authorization")));
    boolean missing =
        (path.equals("experiments/get-by-name") || path.equals("registered-models/get")) && !known;
    String answer =
        switch (path) {
          case "experiments/get-by-name" -> "{\"experiment\":{\"experiment_id\":\"5\"}}";
          case "experiments/create" -> "{\"experiment_id\":\"5\"}";
          case "runs/search" -> known ? "{\"runs\":[%s]}".formatted(run()) : "{}";
          case "runs/create" -> "{\"run\":%s}".formatted(run());
          default -> "{}";
        };
    send(exchange, missing ? 404 : 200, answer);
  }

  private String run() {
    return "{\"info\":{\"run_id\":\"abc\",\"artifact_uri\":\"%s\"}}".formatted(artifacts);
  }

  /** As the server's proxy does. */
  private void store(HttpExchange exchange) throws IOException {
    String path = exchange.getRequestURI().getPath().replaceFirst(".*/artifacts/5", "5");
    if (exchange.getRequestMethod().equals("PUT")) {
      stored.put(path, exchange.getRequestBody().readAllBytes());
    }
    send(exchange, 200, "{}");
  }

  private static void send(HttpExchange exchange, int status, String answer) throws IOException {
    byte[] bytes = answer.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(status, bytes.length);
    exchange.getResponseBody().write(bytes);
    exchange.close();
  }

  private Mlflow mlflow(Map<String, String> environment) {
    String uri = "http://127.0.0.1:" + server.getAddress().getPort() + "/";
    return new Mlflow(
        new MlflowServer(uri, environment), "drawn", register, new Configuration(), warnings::add);
  }

  private List<String> paths() {
    return calls.stream().map(Call::path).toList();
  }

  private List<JsonNode> bodies(String path) {
    return calls.stream().filter(call -> call.path().equals(path)).map(Call::body).toList();
  }

  // --- the model -------------------------------------------------------------------------------

  private static final TrainedModel MODEL = Models.model(Pooling.MEAN, Models.main());

  private void end() {
    try (Mlflow mlflow = mlflow(Map.of())) {
      mlflow.run(Rows.run(Status.RUNNING, config));
      mlflow.run(Rows.run(Status.FINISHED));
      mlflow.model(() -> MODEL);
    }
  }

  /** The keys are those that mlflow.models.Model.from_dict and mlflow.onnx read. */
  @Test
  void theModelIsStoredInMlflowsLayout() throws IOException {
    end();

    assertThat(warnings).isEmpty();
    String root = "5/abc/artifacts/model/";
    assertThat(stored.keySet())
        .containsExactlyInAnyOrder(
            root + "MLmodel",
            root + "model.onnx",
            root + "input_example.json",
            root + "requirements.txt",
            root + "conda.yaml",
            root + "python_env.yaml");
    assertThat(stored.get(root + "model.onnx")).isEqualTo(MODEL.onnx("", MODEL.card().tasks()));
    JsonNode described = new ObjectMapper().readTree(stored.get(root + "MLmodel"));
    assertThat(described.get("artifact_path").asText()).isEqualTo("model");
    assertThat(described.get("run_id").asText()).isEqualTo("abc");
    JsonNode python = described.get("flavors").get("python_function");
    assertThat(python.get("loader_module").asText()).isEqualTo("mlflow.onnx");
    assertThat(python.get("data").asText()).isEqualTo("model.onnx");
    assertThat(python.get("env").get("virtualenv").asText()).isEqualTo("python_env.yaml");
    assertThat(described.get("flavors").get("onnx").get("data").asText()).isEqualTo("model.onnx");
    JsonNode inputs =
        new ObjectMapper().readTree(described.get("signature").get("inputs").asText());
    assertThat(inputs.get(0).get("tensor-spec").get("dtype").asText()).isEqualTo("uint8");
    assertThat(inputs.get(0).get("tensor-spec").get("shape").toString()).isEqualTo("[-1,3,12,12]");
    JsonNode outputs =
        new ObjectMapper().readTree(described.get("signature").get("outputs").asText());
    assertThat(outputs.get(0).get("name").asText()).isEqualTo("probabilities");
    assertThat(outputs.get(0).get("tensor-spec").get("shape").toString()).isEqualTo("[-1,5]");
    JsonNode example = new ObjectMapper().readTree(stored.get(root + "input_example.json"));
    assertThat(example.get("inputs").get(0).get(2).get(11)).hasSize(12);
    assertThat(described.get("saved_input_example_info").get("artifact_path").asText())
        .isEqualTo("input_example.json");
    assertThat(bodies("runs/log-model").get(0).get("model_json").asText())
        .isEqualTo(new String(stored.get(root + "MLmodel"), StandardCharsets.UTF_8));
    assertThat(paths()).doesNotContain("model-versions/create");
  }

  @Test
  void theModelBecomesAVersionOfARegisteredOneIfThatIsAsked() {
    register = "shapes";
    end();

    assertThat(bodies("registered-models/create").get(0).toString())
        .isEqualTo("{\"name\":\"shapes\"}");
    JsonNode version = bodies("model-versions/create").get(0);
    assertThat(version.get("name").asText()).isEqualTo("shapes");
    assertThat(version.get("run_id").asText()).isEqualTo("abc");
    assertThat(version.get("source").asText()).isEqualTo(artifacts + "/model");

    known = true;
    end();
    assertThat(bodies("registered-models/create")).hasSize(1);
    assertThat(bodies("model-versions/create")).hasSize(2);
  }

  @Test
  void artifactsThatTheServerDoesNotStoreItselfAreWrittenWhereItSays(@TempDir Path directory) {
    artifacts = directory.toUri() + "5";
    end();

    assertThat(warnings).isEmpty();
    assertThat(stored).isEmpty();
    assertThat(directory.resolve("5/model/MLmodel")).isNotEmptyFile();
    assertThat(directory.resolve("5/model/model.onnx")).isNotEmptyFile();
  }

  private void train(Mlflow mlflow, Status end) {
    try (mlflow) {
      mlflow.run(Rows.run(Status.RUNNING, config));
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

  // --- refusals ----------------------------------------------------------------------------------

  private List<String> told(String kind) {
    return bodies("runs/log-batch").stream()
        .flatMap(body -> body.path(kind).findValuesAsText("key").stream())
        .toList();
  }

  @ParameterizedTest
  @ValueSource(ints = {6000, 500, 250})
  void aParameterIsToldAsFarAsTheServerTakesIt(int most) {
    config = "{mixtraining {a = 1, long = \"%s\", z = 2}}".formatted("x".repeat(7000));
    exception =
        (path, body) ->
            body.path("params").findValuesAsText("value").stream().anyMatch(v -> v.length() > most)
                ? Answer.refusal(400, "Param value exceeded length limit of " + most)
                : null;

    train(mlflow(Map.of()), Status.FINISHED);

    assertThat(told("params")).containsExactlyInAnyOrder("a", "long", "z");
    assertThat(bodies("runs/log-batch").stream().flatMap(b -> b.findValuesAsText("value").stream()))
        .contains("x".repeat(most));
    assertToldInFull();
    assertThat(warnings).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(ints = {400, 401, 403, 404, 405, 409, 413, 422})
  void whatIsRefusedForGoodKeepsNothingElseFromBeingTold(int status) {
    exception =
        (path, body) -> body.has("params") ? Answer.refusal(status, "not such a thing") : null;

    train(mlflow(Map.of()), Status.FINISHED);

    assertToldInFull();
    assertThat(warnings).filteredOn(w -> w.contains("not such a thing")).hasSize(1);
  }

  @Test
  void oneMetricThatIsRefusedIsNamedOnceAndTheOthersAreTold() {
    exception =
        (path, body) ->
            body.path("metrics").findValuesAsText("key").contains("train/loss")
                ? Answer.refusal(400, "no loss here")
                : null;

    train(mlflow(Map.of()), Status.FINISHED);

    assertThat(told("metrics").stream().filter("cost/tflop"::equals)).hasSize(3);
    assertThat(told("metrics")).doesNotContain("train/loss");
    assertThat(warnings)
        .singleElement()
        .asString()
        .startsWith("MLflow refuses train/loss; the rest is logged: ")
        .endsWith("answers 400: no loss here");
  }

  @Test
  void whatIsRefusedForAWhileIsOfferedAgainAtTheEnd() {
    var ended = new AtomicBoolean();
    exception =
        (path, body) -> {
          ended.compareAndSet(false, body.path("status").asText().equals("FINISHED"));
          return path.equals("runs/log-batch") && !ended.get()
              ? Answer.refusal(401, "token expired")
              : null;
        };

    train(mlflow(Map.of()), Status.FINISHED);

    assertThat(told("params")).hasSize(3);
    assertThat(told("metrics").stream().filter("cost/tflop"::equals)).hasSize(3);
    assertThat(warnings).hasSize(1);
  }

  @ParameterizedTest
  @ValueSource(ints = {408, 429, 500, 502})
  void whatPassesIsWaitedFor(int status) {
    var times = new AtomicInteger(2);
    exception =
        (path, body) -> times.getAndDecrement() > 0 ? Answer.refusal(status, "later") : null;

    train(mlflow(Map.of()), Status.FINISHED);

    assertThat(told("params")).hasSize(3);
    assertToldInFull();
  }

  @Test
  void aRunThatIsDeletedMidwayIsMadeAnew() {
    var deleted = new AtomicBoolean();
    exception =
        (path, body) -> {
          boolean second = body.at("/metrics/0/step").asInt() == 2;
          return second && deleted.compareAndSet(false, true)
              ? Answer.refusal(
                  400, "The run abc must be in the 'active' state. Current state is deleted.")
              : null;
        };

    train(mlflow(Map.of()), Status.FINISHED);

    assertThat(bodies("runs/create")).hasSize(2);
    assertToldInFull();
    assertThat(warnings).isEmpty();
  }

  @Test
  void anExperimentThatIsDeletedIsNamedWithItsKey() {
    exception =
        (path, body) ->
            path.startsWith("experiments/get")
                ? new Answer(
                    200,
                    "{\"experiment\":{\"experiment_id\":\"5\",\"lifecycle_stage\":\"deleted\"}}",
                    "")
                : null;

    train(mlflow(Map.of()), Status.FINISHED);

    assertThat(calls).isEmpty();
    assertThat(warnings).hasSize(2);
    assertThat(warnings.get(0))
        .isEqualTo(
            "MLflow is not updated for now; training continues: experiment drawn is deleted on the server: restore it, or choose another with mixtraining.tracking.mlflow-experiment");
    assertThat(warnings.get(1)).startsWith("MLflow did not receive 6 of the run's messages: ");
  }

  @Test
  void whatIsNoMlflowIsSaidToBeNone() {
    exception = (path, body) -> new Answer(200, "\n<html>\n<title>Log in</title>", "");
    train(mlflow(Map.of()), Status.FINISHED);
    assertThat(warnings).hasSize(2);
    assertThat(warnings.get(0))
        .endsWith("did not answer with a JSON object, so it is not MLflow: <html>");

    warnings.clear();
    exception = (path, body) -> new Answer(404, "<html>nothing", "");
    train(mlflow(Map.of()), Status.FINISHED);
    assertThat(warnings).hasSize(2);
    assertThat(warnings.get(0)).endsWith("experiments/create answers 404: <html>nothing");

    warnings.clear();
    exception = (path, body) -> new Answer(302, "", "https://elsewhere.example/login");
    train(mlflow(Map.of()), Status.FINISHED);
    assertThat(warnings.get(0))
        .endsWith("redirects to another server, https://elsewhere.example/login");
  }

  @Test
  void whatHasMovedIsToldWhereItIs() {
    server.createContext(
        "/old/",
        exchange -> {
          String query = exchange.getRequestURI().getRawQuery();
          String path = exchange.getRequestURI().getPath().substring("/old".length());
          exchange.getResponseHeaders().add("Location", path + (query == null ? "" : "?" + query));
          send(exchange, 301, "moved");
        });
    String uri = "http://127.0.0.1:" + server.getAddress().getPort() + "/old//";

    train(
        new Mlflow(new MlflowServer(uri, Map.of()), "größe & maß", "", new Configuration()),
        Status.FINISHED);

    assertThat(bodies("experiments/create").get(0).get("name").asText()).isEqualTo("größe & maß");
    assertToldInFull();
  }

  @Test
  void aServerThatIsNotThereIsNoReasonToFail() throws IOException {
    int free;
    try (var socket = new ServerSocket(0)) {
      free = socket.getLocalPort();
    }
    var nowhere = new MlflowServer("http://127.0.0.1:" + free, Map.of());

    train(new Mlflow(nowhere, "drawn", "", new Configuration()), Status.FINISHED);

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
