package org.mixtraining.tracking;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.commons.lang3.concurrent.BasicThreadFactory;
import org.apache.hadoop.conf.Configuration;
import org.mixtraining.formats.TrainedModel;
import org.mixtraining.results.EpochRow;
import org.mixtraining.results.RunRow;
import org.mixtraining.tracking.MlflowServer.Refusal;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A run in MLflow: its configuration as parameters, a metric value an epoch, and its model. A
 * separate thread sends to the server, so that training never waits for it. After an outage, missed
 * values are sent with the next epoch, in order; values that the server refuses are skipped,
 * retried once at the end, and do not block others. A resumed run continues the same MLflow run.
 */
final class Mlflow implements Tracker {
  private static final Logger LOG = LoggerFactory.getLogger(Mlflow.class);
  private static final Duration FAREWELL = Duration.ofSeconds(15);
  private static final Duration FAREWELL_WITH_MODEL = Duration.ofMinutes(5);

  private final MlflowServer server;
  private final String experiment;
  private final String register;
  private final Configuration files;
  private final Consumer<String> warning;
  private final ExecutorService thread =
      Executors.newSingleThreadExecutor(
          new BasicThreadFactory.Builder().namingPattern("mlflow").daemon(true).build());

  // Of the thread alone.
  private final Deque<Message> untold = new ArrayDeque<>();
  private final List<Message> refused = new ArrayList<>();
  private final Set<String> said = new HashSet<>();
  private String complaint = "";
  private MlflowRun run;

  // Of the training's thread.
  private boolean begun;
  private boolean hasModel;

  Mlflow(MlflowServer server, String experiment, String register, Configuration files) {
    this(server, experiment, register, files, LOG::warn);
  }

  /**
   * @param register name of the registered model that the run's becomes a version of; empty: none
   * @param files file systems that artifacts may be on
   * @param warning told what the server does not accept
   */
  Mlflow(
      MlflowServer server,
      String experiment,
      String register,
      Configuration files,
      Consumer<String> warning) {
    this.server = server;
    this.experiment = experiment;
    this.register = register;
    this.files = files;
    this.warning = warning;
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
      tell(() -> run.configure());
    }
    if (row.status() != RunRow.Status.RUNNING) {
      tell(() -> run.end(row));
    }
  }

  @Override
  public void epoch(EpochRow row) {
    tell(() -> run.epoch(row));
  }

  @Override
  public void model(Supplier<TrainedModel> model) {
    hasModel = true;
    tell(() -> run.model(model.get(), register, files));
  }

  /** Creates the run; nothing can be logged without it, so it is retried until it succeeds. */
  private void begin(RunRow row) throws IOException {
    MlflowRun there = run == null ? new MlflowRun(server, experiment, row) : run;
    try {
      there.begin();
      run = there;
    } catch (Refusal e) {
      throw new IOException(e.getMessage(), e);
    }
  }

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
        try {
          untold.peek().tell();
        } catch (Refusal e) {
          refused.add(untold.peek());
          say("MLflow refuses the run's data; training continues: ", e.getMessage());
        }
        untold.remove();
      }
    } catch (IOException | RuntimeException e) {
      complaint = String.valueOf(e.getMessage());
      say("MLflow is not updated for now; training continues: ", complaint);
    }
    if (run != null && said.addAll(run.refused().keySet())) {
      var reasons = new TreeMap<>(run.refused());
      warning.accept(
          "MLflow refuses %s; the rest is logged: %s"
              .formatted(String.join(", ", reasons.keySet()), reasons.firstEntry().getValue()));
    }
  }

  private void say(String what, String why) {
    if (said.add(why)) {
      warning.accept(what + why);
    }
  }

  private void tellTheRest() {
    untold.addAll(refused);
    refused.clear();
    tellAll();
    int never = untold.size() + refused.size();
    if (never > 0) {
      warning.accept(
          "MLflow did not receive "
              + never
              + " of the run's messages: "
              + (untold.isEmpty() ? "it refused them" : complaint));
    }
  }

  @Override
  public void close() {
    thread.execute(this::tellTheRest);
    thread.shutdown();
    try {
      Duration patience = hasModel ? FAREWELL_WITH_MODEL : FAREWELL;
      if (!thread.awaitTermination(patience.toMillis(), TimeUnit.MILLISECONDS)) {
        warning.accept("MLflow does not answer and did not receive the end of the run");
        thread.shutdownNow();
      }
    } catch (InterruptedException e) {
      thread.shutdownNow();
      Thread.currentThread().interrupt();
    }
  }
}
