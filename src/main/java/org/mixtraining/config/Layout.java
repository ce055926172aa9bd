package org.mixtraining.config;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Checks of a configuration's output paths: outside the raw images and prepared datasets. */
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
          "mixtraining.run.output = %s: is inside mixtraining.data.path = %s, which --force would delete; move one of them"
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
                    "%s = %s: is inside mixtraining.data.source = %s, where it would be taken for raw images; choose a directory outside"
                        .formatted(
                            place.getKey(),
                            Secrets.inText(place.getValue()),
                            Secrets.inText(data.raw().source())))
            .toList();
    UserException.throwAny(problems);
    if (Location.holds(data.path(), data.raw().source())) {
      throw new UserException(
          "%s = %s: is inside %s = %s, which prepare replaces as a whole; choose a directory outside"
              .formatted(
                  SOURCE, Secrets.inText(data.raw().source()), PATH, Secrets.inText(data.path())));
    }
  }
}
