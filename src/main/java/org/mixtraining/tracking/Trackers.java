package org.mixtraining.tracking;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.hadoop.conf.Configuration;
import org.mixtraining.config.Causes;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.TrackingConfig;
import org.mixtraining.formats.TrainedModel;
import org.mixtraining.results.EpochRow;
import org.mixtraining.results.RunObserver;
import org.mixtraining.results.RunRow;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The trackers of a run. A tracker's failure is logged and affects nothing else. */
public record Trackers(List<Tracker> trackers) implements RunObserver, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Trackers.class);

  public Trackers {
    trackers = List.copyOf(trackers);
  }

  /** Those that the configuration asks for. */
  public static Trackers of(Configuration hadoop, JobConfig config, String runId) {
    TrackingConfig asked = config.tracking();
    List<Tracker> trackers = new ArrayList<>();
    if (asked.tensorboard()) {
      trackers.add(new TensorBoard(hadoop, config.run().output(), runId));
    }
    if (!asked.mlflowUri().isEmpty()) {
      trackers.add(
          new Mlflow(
              new MlflowServer(asked.mlflowUri(), System.getenv()),
              asked.mlflowExperiment(),
              asked.mlflowRegister(),
              hadoop));
    }
    return new Trackers(trackers);
  }

  @Override
  public void run(RunRow row) {
    tell(tracker -> tracker.run(row));
  }

  @Override
  public void epoch(EpochRow row) {
    tell(tracker -> tracker.epoch(row));
  }

  /** Tells the model of a run that is finished; it is read if a tracker asks for it. */
  public void model(Supplier<TrainedModel> model) {
    tell(tracker -> tracker.model(model));
  }

  @Override
  public void close() {
    tell(Tracker::close);
  }

  private void tell(Consumer<Tracker> what) {
    for (Tracker tracker : trackers) {
      try {
        what.accept(tracker);
      } catch (RuntimeException | Error e) { // the latter of a full disk
        LOG.warn(
            "{} was not updated: {}; training continues",
            tracker.getClass().getSimpleName(),
            Causes.reason(e));
      }
    }
  }
}
