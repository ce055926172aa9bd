package org.mixtraining.tracking;

import com.fasterxml.jackson.databind.JsonNode;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigRenderOptions;
import java.io.IOException;
import java.net.URI;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.mixtraining.files.WholeFile;
import org.mixtraining.formats.TrainedModel;
import org.mixtraining.results.EpochRow;
import org.mixtraining.results.RunRow;
import org.mixtraining.tracking.MlflowServer.Refusal;

/** A run on an MLflow server, found there by its tag. */
final class MlflowRun {
  private static final String TAG = "mixtraining.run_id";

  /** Scheme of artifacts that the server stores for its clients. */
  private static final String PROXY = "mlflow-artifacts:";

  /** Largest number of values per request. */
  private static final int AT_ONCE = 100;

  /** Longest parameter values that MLflow accepts: since 2.8, since 1.29, and before. */
  private static final List<Integer> LENGTHS = List.of(6000, 500, 250);

  private final MlflowServer server;
  private final String experiment;
  private final RunRow row;
  private final Map<String, String> refused = new TreeMap<>();
  private String id = "";
  private String artifacts = "";
  private boolean isNew;

  /**
   * @param row as it is when it starts
   */
  MlflowRun(MlflowServer server, String experiment, RunRow row) {
    this.server = server;
    this.experiment = experiment;
    this.row = row;
  }

  /** Names of the values that the server refused, with the reasons. */
  Map<String, String> refused() {
    return refused;
  }

  // --- the run ---------------------------------------------------------------------------------

  /** Finds the run, or creates it. */
  void begin() throws IOException {
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
      create(in);
    } else {
      found(known.path("info"));
      server.post("runs/update", Map.of("run_id", id, "status", "RUNNING"));
    }
  }

  private String experiment() throws IOException {
    JsonNode known =
        server.get("experiments/get-by-name", "experiment_name", experiment).path("experiment");
    if (known.path("lifecycle_stage").asText().equals("deleted")) {
      throw new IOException(
          "experiment %s is deleted on the server: restore it, or choose another with mixtraining.tracking.mlflow-experiment"
              .formatted(experiment));
    }
    return named(
        known.isMissingNode()
            ? server.post("experiments/create", Map.of("name", experiment))
            : known,
        "experiment_id");
  }

  private void create(String in) throws IOException {
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
    found(created.path("run").path("info"));
    isNew = true;
  }

  private void found(JsonNode info) throws IOException {
    id = named(info, "run_id");
    artifacts = info.path("artifact_uri").asText();
  }

  /**
   * Logs the parameters that cannot change: MLflow accepts a parameter only once with different
   * values.
   */
  void configure() throws IOException {
    if (isNew) {
      log("params", parameters(row.setup().config()));
      isNew = false;
    }
  }

  private static String named(JsonNode answer, String name) throws IOException {
    String value = answer.path(name).asText();
    if (value.isEmpty()) {
      throw new IOException("an answer without %s, which is not MLflow's".formatted(name));
    }
    return value;
  }

  // --- what is told of it ------------------------------------------------------------------------

  void epoch(EpochRow epoch) throws IOException {
    long time = epoch.finishedAt().toEpochMilli();
    List<Map<String, Object>> metrics = new ArrayList<>();
    Scalars.of(epoch)
        .forEach(
            (key, value) ->
                metrics.add(
                    Map.of("key", key, "value", value, "timestamp", time, "step", epoch.epoch())));
    where(() -> log("metrics", metrics));
  }

  void end(RunRow ended) throws IOException {
    String status =
        switch (ended.status()) {
          case RUNNING -> "RUNNING";
          case FINISHED -> "FINISHED";
          case FAILED -> "FAILED";
          case INTERRUPTED -> "KILLED";
        };
    where(
        () ->
            server.post(
                "runs/update",
                Map.of("run_id", id, "status", status, "end_time", ended.ended().toEpochMilli())));
  }

  /**
   * Stores the model among the run's artifacts.
   *
   * @param register name of the registered model that it becomes a version of; empty: none
   * @param files the file systems, for artifacts that the server does not store itself
   */
  void model(TrainedModel trained, String register, Configuration files) throws IOException {
    MlflowModel model = MlflowModel.of(trained, id, Instant.now());
    for (Map.Entry<String, byte[]> file : model.files().entrySet()) {
      store(MlflowModel.PATH + "/" + file.getKey(), file.getValue(), files);
    }
    server.post("runs/log-model", Map.of("run_id", id, "model_json", model.description()));
    if (!register.isEmpty()) {
      if (server.get("registered-models/get", "name", register).isMissingNode()) {
        server.post("registered-models/create", Map.of("name", register));
      }
      server.post(
          "model-versions/create",
          Map.of("name", register, "source", artifacts + "/" + MlflowModel.PATH, "run_id", id));
    }
  }

  /** As MLflow's own clients do: by the server's proxy if it has one, else where it says. */
  private void store(String name, byte[] content, Configuration files) throws IOException {
    if (artifacts.startsWith(PROXY)) {
      String root = URI.create(artifacts).getPath().replaceFirst("^/", "");
      server.put(root + "/" + name, content);
      return;
    }
    try {
      Path path = new Path(artifacts.replaceFirst("^s3:", "s3a:") + "/" + name);
      new WholeFile(path, files).write(out -> out.write(content));
    } catch (IllegalArgumentException | IOException e) {
      throw new IOException("%s cannot be written: %s".formatted(artifacts, e.getMessage()), e);
    }
  }

  @FunctionalInterface
  private interface Call {
    void make() throws IOException;
  }

  /** Calls the server; a run that was deleted there meanwhile is created again. */
  private void where(Call call) throws IOException {
    try {
      call.make();
    } catch (Refusal e) {
      if (!e.ofWhatIsGone()) {
        throw e;
      }
      begin();
      call.make();
      configure();
    }
  }

  /** Logs values; those that the server refuses are skipped one by one. */
  private void log(String kind, List<Map<String, Object>> values) throws IOException {
    for (int from = 0; from < values.size(); from += AT_ONCE) {
      some(kind, values.subList(from, Math.min(from + AT_ONCE, values.size())));
    }
  }

  private void some(String kind, List<Map<String, Object>> values) throws IOException {
    try {
      server.post("runs/log-batch", Map.of("run_id", id, kind, values));
    } catch (Refusal e) {
      if (!e.ofContent() || e.ofWhatIsGone()) {
        throw e;
      }
      if (values.size() > 1) {
        some(kind, values.subList(0, values.size() / 2));
        some(kind, values.subList(values.size() / 2, values.size()));
      } else {
        one(kind, values.get(0), e);
      }
    }
  }

  private void one(String kind, Map<String, Object> value, Refusal refusal) throws IOException {
    Object content = value.get("value");
    for (int length : LENGTHS) {
      if (content instanceof String text && text.length() > length) {
        some(kind, List.of(Map.of("key", value.get("key"), "value", cut(text, length))));
        return;
      }
    }
    refused.putIfAbsent((String) value.get("key"), refusal.getMessage());
  }

  private static List<Map<String, Object>> parameters(String canonical) {
    Config config = ConfigFactory.parseString(canonical).getConfig("mixtraining");
    return config.entrySet().stream()
        .map(
            entry -> {
              Object plain = entry.getValue().unwrapped();
              String value =
                  plain instanceof List
                      ? entry.getValue().render(ConfigRenderOptions.concise())
                      : String.valueOf(plain);
              return Map.<String, Object>of(
                  "key",
                  cut(entry.getKey().replaceAll("(?U)[^\\w./ -]", "_"), LENGTHS.get(2)),
                  "value",
                  cut(value, LENGTHS.get(0)));
            })
        .sorted((a, b) -> ((String) a.get("key")).compareTo((String) b.get("key")))
        .toList();
  }

  /** The first {@code length} characters of a text, without splitting surrogate pairs. */
  private static String cut(String text, int length) {
    if (text.length() <= length) {
      return text;
    }
    return text.substring(
        0, Character.isHighSurrogate(text.charAt(length - 1)) ? length - 1 : length);
  }
}
