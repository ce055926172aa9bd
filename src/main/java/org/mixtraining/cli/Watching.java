package org.mixtraining.cli;

import java.io.IOException;
import org.apache.hadoop.fs.Path;
import org.apache.spark.SparkConf;
import org.apache.spark.deploy.SparkHadoopUtil;
import org.apache.spark.metrics.sink.PrometheusServlet;
import org.mixtraining.config.Location;
import org.mixtraining.config.TrackingConfig;
import org.mixtraining.config.UserException;
import org.mixtraining.spark.TrainingPlugin;

/** Spark settings for monitoring a training: plugin, UI, metrics and event log. */
final class Watching {
  private static final String PROMETHEUS = "spark.metrics.conf.driver.sink.prometheusServlet.";

  private Watching() {}

  /**
   * The same configuration with it.
   *
   * @throws UserException if the event log cannot lie where it is to lie
   */
  static SparkConf in(SparkConf conf, TrackingConfig tracking) {
    String plugin = TrainingPlugin.class.getName();
    String others = conf.get("spark.plugins", "");
    conf.set("spark.plugins", others.isEmpty() ? plugin : others + "," + plugin)
        // Else every metric's name begins with the id of the application.
        .setIfMissing("spark.metrics.namespace", "mixtraining")
        .setIfMissing(PROMETHEUS + "class", PrometheusServlet.class.getName())
        .setIfMissing(PROMETHEUS + "path", "/metrics/prometheus");
    if (tracking.uiPort() > 0) {
      conf.set("spark.ui.enabled", "true").set("spark.ui.port", "" + tracking.uiPort());
    }
    if (!tracking.eventLog().isEmpty()) {
      conf.set("spark.eventLog.enabled", "true")
          .set("spark.eventLog.dir", directory(conf, tracking.eventLog()));
    }
    return conf;
  }

  /** Spark expects that it is there. */
  private static String directory(SparkConf conf, String given) {
    try {
      Path path = Location.path(given);
      var files = path.getFileSystem(SparkHadoopUtil.get().newConfiguration(conf));
      files.mkdirs(path);
      // Spark reads a URI here.
      return files.makeQualified(path).toUri().toASCIIString();
    } catch (IOException e) {
      throw new UserException(
          "mixtraining.tracking.event-log = %s: %s".formatted(given, e.getMessage()));
    }
  }
}
