package org.mixtraining.config;

import java.io.Serializable;
import org.mixtraining.config.hocon.Settings;

/**
 * Identity of a run: its id (empty: to be made), the seed of all its randomness, and where results
 * are written.
 */
public record RunConfig(String id, long seed, String output) implements Serializable {

  static RunConfig read(Settings settings) {
    return new RunConfig(
        settings.text("run.id", id -> id.isEmpty() || Names.isName(id), Names.RANGE + ", or empty"),
        settings.seed("run.seed"),
        settings.path("run.output"));
  }

  /**
   * An id of a run, which names directories too.
   *
   * @throws UserException if it cannot be one
   */
  public static String checkedId(String id) {
    if (!Names.isName(id)) {
      throw new UserException("mixtraining.run.id = \"%s\": must be %s".formatted(id, Names.RANGE));
    }
    return id;
  }
}
