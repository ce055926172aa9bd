package org.mixtraining.jobs;

import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.mixtraining.config.DataConfig;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.Secrets;
import org.mixtraining.config.UserException;
import org.mixtraining.data.DatasetManifest;
import org.mixtraining.results.RunRow;

/** Compares the images that a run was trained on with those that lie at its paths now. */
public final class RecordedData {

  private RecordedData() {}

  /**
   * A line for every path that holds other images now; one that holds none is not complained of.
   */
  static List<String> problems(Configuration hadoop, JobConfig config, RunRow.Setup setup) {
    List<String> problems = labelled(hadoop, config, setup);
    if (setup.sslFingerprint() != null) {
      compare(
          hadoop, "mixtraining.data.ssl", config.data().ssl(), setup.sslFingerprint(), problems);
    }
    return problems;
  }

  /**
   * Holds the labelled datasets to those of the run: others have other images in their splits.
   *
   * @throws UserException with a line for every path that holds other images now
   */
  public static void checkLabelled(Configuration hadoop, JobConfig config, RunRow.Setup setup) {
    UserException.throwAny(labelled(hadoop, config, setup));
  }

  private static List<String> labelled(Configuration hadoop, JobConfig config, RunRow.Setup setup) {
    DataConfig data = config.data();
    String[] was = setup.datasetFingerprint().split(",");
    List<String> problems = new ArrayList<>();
    for (int t = 0; t < was.length; t++) {
      DataConfig.Task task = data.labelled().get(t);
      compare(hadoop, data.key(task), task.path(), was[t], problems);
    }
    return problems;
  }

  private static void compare(
      Configuration hadoop, String key, String path, String was, List<String> problems) {
    if (!DatasetManifest.exists(hadoop, path)) {
      return;
    }
    String is = DatasetManifest.read(hadoop, key, path).fingerprint();
    if (!is.equals(was)) {
      problems.add(
          "%s = %s: holds other images than the run was trained on: their fingerprint is %s, but was %s"
              .formatted(key, Secrets.inText(path), is, was));
    }
  }
}
