package org.mixtraining.config.hocon;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigRenderOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.mixtraining.config.JobConfig;

/**
 * Differences between the configuration that a run started with and the one that it is resumed
 * with.
 */
public final class ConfigDiff {

  /**
   * Keys, or blocks of them, that no bit of a run's result depends on. Where data lies is one; that
   * it is the same data is checked by its fingerprint.
   */
  private static final Set<String> HARMLESS =
      Set.of(
          "run.id", // empty where the id was made from the time
          "run.output",
          "data.path",
          "data.source",
          "data.cache",
          "workers.per-executor",
          "workers.threads-per-worker",
          "workers.patience-minutes",
          "workers.stall-minutes",
          "averaging.exchange",
          "checkpoint",
          "results",
          "tracking");

  private ConfigDiff() {}

  /**
   * A line for every key that may not change, "key = now, and was before"; none if the run can go
   * on.
   *
   * @param before {@link JobConfig#canonical()} of the run's beginning
   * @param now the same of today
   */
  public static List<String> forbidden(String before, String now) {
    Config old = ConfigFactory.parseString(again(before)).getConfig("mixtraining");
    Config present = ConfigFactory.parseString(now).getConfig("mixtraining");
    Set<String> keys = new TreeSet<>();
    old.entrySet().forEach(entry -> keys.add(entry.getKey()));
    present.entrySet().forEach(entry -> keys.add(entry.getKey()));
    List<String> lines = new ArrayList<>();
    for (String key : keys) {
      String was = text(old, key);
      String is = text(present, key);
      if (!was.equals(is) && !isHarmless(key)) {
        lines.add("mixtraining.%s = %s, but was %s".formatted(key, is, was));
      }
    }
    return lines;
  }

  /** As this version reads it: a key that it did not have yet has its default. */
  private static String again(String before) {
    return JobConfig.load(before, Optional.empty(), List.of()).canonical();
  }

  private static boolean isHarmless(String key) {
    return HARMLESS.stream().anyMatch(name -> key.equals(name) || key.startsWith(name + "."));
  }

  private static String text(Config config, String key) {
    return config.hasPath(key)
        ? config.getValue(key).render(ConfigRenderOptions.concise())
        : "not set";
  }
}
