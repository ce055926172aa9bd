package org.mixtraining.config;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Where a configuration puts what is written: not among the raw images, nor these among it. */
public final class Layout {
  private static final String SOURCE = "mixtraining.data.source";
  private static final String PATH = "mixtraining.data.path";

  private Layout() {}

  /**
   * Holds everything that is written to {@code data.source}.
   *
   * @throws UserException with a line for every directory that would be taken for raw images
   */
  public static void check(JobConfig config) {
    Map<String, String> written = new LinkedHashMap<>();
    written.put(PATH, config.data().path());
    written.put("mixtraining.run.output", config.run().output());
    written.put("mixtraining.tracking.event-log", config.tracking().eventLog());
    check(config.data(), written);
  }

  /** The same of a dataset alone. */
  public static void check(DataConfig data) {
    check(data, Map.of(PATH, data.path()));
  }

  /**
   * Holds runs to a dataset that is about to be replaced.
   *
   * @throws UserException if they lie in it
   */
  public static void checkReplaced(JobConfig config) {
    if (Location.holds(config.data().path(), config.run().output())) {
      throw new UserException(
          "mixtraining.run.output = %s: lies in mixtraining.data.path = %s, which --force would delete; move the one or the other"
              .formatted(
                  Secrets.inText(config.run().output()), Secrets.inText(config.data().path())));
    }
  }

  private static void check(DataConfig data, Map<String, String> written) {
    if (data.raw().source().isEmpty() || data.raw().format() == DataConfig.Format.SYNTHETIC) {
      return;
    }
    List<String> problems =
        written.entrySet().stream()
            .filter(place -> !place.getValue().isEmpty())
            .filter(place -> Location.holds(data.raw().source(), place.getValue()))
            .map(
                place ->
                    "%s = %s: lies in mixtraining.data.source = %s, and would be taken for raw images there; name a directory outside of it"
                        .formatted(
                            place.getKey(),
                            Secrets.inText(place.getValue()),
                            Secrets.inText(data.raw().source())))
            .toList();
    if (!problems.isEmpty()) {
      throw new UserException(problems);
    }
    if (Location.holds(data.path(), data.raw().source())) {
      throw new UserException(
          "%s = %s: lies in %s = %s, which is replaced whole when images are prepared; name a directory outside of it"
              .formatted(
                  SOURCE, Secrets.inText(data.raw().source()), PATH, Secrets.inText(data.path())));
    }
  }
}
