package org.mixtraining.tracking;

import com.fasterxml.jackson.databind.JsonNode;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigRenderOptions;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.mixtraining.results.EpochRow;
import org.mixtraining.results.RunRow;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A run in MLflow: its configuration as parameters, a metric value an epoch. A thread of its own
 * speaks to the server, so that the training never waits for it; what could not be told is told
 * with the next epoch, in its order. A run that goes on is found by its tag and goes on there.
 */
final class Mlflow implements Tracker {
  private static final Logger LOG = LoggerFactory.getLogger(Mlflow.class);
  private static final String TAG = "mixtraining.run_id";
  private static final Duration FAREWELL = Duration.ofSeconds(15);

  /** What the server takes at once, and at length. */
  private static final int PARAMETERS = 100;

  private static final int LENGTH = 500;

  private final MlflowServer server;
  private final String experiment;
  private final ExecutorService thread =
      Executors.newSingleThreadExecutor(
          task -> {
            Thread t = new Thread(task, "mlflow");
            t.setDaemon(true);
            return t;
          });

  // Of the thread alone.
  private final Deque<Message> untold = new ArrayDeque<>();
  private String complaint = "";
  private String id;
  private boolean isNew;

  // Of the training's thread.
  private boolean begun;

  Mlflow(MlflowServer server, String experiment) {
    this.server = server;
    this.experiment = experiment;
  }

  @FunctionalInterface
  private interface Message {
    void tell() throws IOException;
  }

  @Override
  public void run(RunRow row) {
    if (!begun) {
      begun = true;
      tell(() -> begin(row));
      tell(() -> configure(row));
    }
    if (row.status() != RunRow.Status.RUNNING) {
      tell(() -> end(row));
    }
  }

  @Override
  public void epoch(EpochRow row) {
    long time = row.finishedAt().toEpochMilli();
    List<Map<String, Object>> metrics = new ArrayList<>();
    Scalars.of(row)
        .forEach(
            (key, value) ->
                metrics.add(
                    Map.of("key", key, "value", value, "timestamp", time, "step", row.epoch())));
    tell(() -> server.post("runs/log-batch", Map.of("run_id", id, "metrics", metrics)));
  }

  // --- what is told ------------------------------------------------------------------------------

  private void begin(RunRow row) throws IOException {
    String in = experiment();
    JsonNode known =
        server
            .post(
                "runs/search",
                Map.of(
                    "experiment_ids",
                    List.of(in),
                    "filter",
                    "tags.`%s` = '%s'".formatted(TAG, row.runId()),
                    "max_results",
                    1))
            .path("runs")
            .path(0);
    if (known.isMissingNode()) {
      create(in, row);
    } else {
      id = known.path("info").path("run_id").asText();
      server.post("runs/update", Map.of("run_id", id, "status", "RUNNING"));
    }
  }

  private String experiment() throws IOException {
    JsonNode known = server.get("experiments/get-by-name", "experiment_name", experiment);
    return known.isMissingNode()
        ? server
            .post("experiments/create", Map.of("name", experiment))
            .path("experiment_id")
            .asText()
        : known.path("experiment").path("experiment_id").asText();
  }

  private void create(String in, RunRow row) throws IOException {
    JsonNode created =
        server.post(
            "runs/create",
            Map.of(
                "experiment_id",
                in,
                "run_name",
                row.runId(),
                "start_time",
                row.started().toEpochMilli(),
                "tags",
                List.of(Map.of("key", TAG, "value", row.runId()))));
    id = created.path("run").path("info").path("run_id").asText();
    isNew = true;
  }

  /** Parameters cannot be told twice with different values, as those that may change would be. */
  private void configure(RunRow row) throws IOException {
    List<Map<String, String>> parameters = isNew ? parameters(row.setup().config()) : List.of();
    for (int from = 0; from < parameters.size(); from += PARAMETERS) {
      server.post(
          "runs/log-batch",
          Map.of(
              "run_id",
              id,
              "params",
              parameters.subList(from, Math.min(from + PARAMETERS, parameters.size()))));
    }
  }

  private static List<Map<String, String>> parameters(String canonical) {
    Config config = ConfigFactory.parseString(canonical).getConfig("mixtraining");
    return config.entrySet().stream()
        .map(
            entry -> {
              Object plain = entry.getValue().unwrapped();
              String value =
                  plain instanceof List
                      ? entry.getValue().render(ConfigRenderOptions.concise())
                      : String.valueOf(plain);
              return Map.of(
                  "key",
                  entry.getKey(),
                  "value",
                  value.substring(0, Math.min(LENGTH, value.length())));
            })
        .sorted((a, b) -> a.get("key").compareTo(b.get("key")))
        .toList();
  }

  private void end(RunRow row) throws IOException {
    String status =
        switch (row.status()) {
          case RUNNING -> "RUNNING";
          case FINISHED -> "FINISHED";
          case FAILED -> "FAILED";
          case INTERRUPTED -> "KILLED";
        };
    Instant ended = row.ended();
    server.post(
        "runs/update", Map.of("run_id", id, "status", status, "end_time", ended.toEpochMilli()));
  }

  // --- when --------------------------------------------------------------------------------------

  private void tell(Message message) {
    thread.execute(
        () -> {
          untold.add(message);
          tellAll();
        });
  }

  private void tellAll() {
    try {
      while (!untold.isEmpty()) {
        untold.peek().tell();
        untold.remove();
      }
    } catch (IOException | RuntimeException e) {
      if (!complaint.equals(e.getMessage())) {
        complaint = String.valueOf(e.getMessage());
        LOG.warn("MLflow is not told for now, and the training goes on: {}", complaint);
      }
    }
  }

  @Override
  public void close() {
    thread.execute(
        () -> {
          tellAll();
          if (!untold.isEmpty()) {
            LOG.warn(
                "MLflow was never told {} of the run's messages: {}", untold.size(), complaint);
          }
        });
    thread.shutdown();
    try {
      if (!thread.awaitTermination(FAREWELL.toMillis(), TimeUnit.MILLISECONDS)) {
        LOG.warn("MLflow does not answer, and was not told the end of the run");
        thread.shutdownNow();
      }
    } catch (InterruptedException e) {
      thread.shutdownNow();
      Thread.currentThread().interrupt();
    }
  }
}
