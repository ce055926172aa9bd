package org.mixtraining.config;

import java.io.Serializable;
import java.util.regex.Pattern;
import org.mixtraining.config.hocon.Settings;

/**
 * Trackers of a run, in addition to the tables: TensorBoard's event files; the MLflow server at an
 * address, or none where that is empty, and the registered model there that a run's becomes a
 * version of, or none where that is empty; Spark's own UI at a port, or 0; its event log in a
 * directory, or none where that is empty.
 */
public record TrackingConfig(
    boolean tensorboard,
    String mlflowUri,
    String mlflowExperiment,
    String mlflowRegister,
    int uiPort,
    String eventLog)
    implements Serializable {
  private static final Pattern ADDRESS = Pattern.compile("(https?://[^@\\s]+)?");

  static TrackingConfig read(Settings settings) {
    return new TrackingConfig(
        settings.flag("tracking.tensorboard"),
        settings.text(
            "tracking.mlflow-uri",
            uri -> ADDRESS.matcher(uri).matches(),
            "http://… or https://… without a user or password, or empty; credentials belong in the environment, MLFLOW_TRACKING_TOKEN or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"),
        settings.text("tracking.mlflow-experiment", name -> !name.isBlank(), "a name"),
        settings.text("tracking.mlflow-register", name -> true, "a name, or empty"),
        settings.whole(
            "tracking.ui-port",
            port -> port >= 0 && port <= 65535,
            "a whole number from 0 to 65535"),
        settings.place("tracking.event-log", "a directory, or empty"));
  }
}
