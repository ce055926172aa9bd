package org.mixtraining.config;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.mixtraining.config.hocon.Sources;

/**
 * A comparison of runs: every arm in every setting with every seed, as the block {@code compare} of
 * a configuration says.
 *
 * @param name the name that its runs carry
 * @param baseline the arm that gains are relative to
 * @param parallel trainings side by side
 * @param runs all of them, the first seed's before the next one's
 * @param notes for a person: in what else arms differ than in the keys that they name, a line each
 */
public record Comparison(
    String name, String baseline, int parallel, List<Run> runs, List<String> notes) {
  public Comparison {
    runs = List.copyOf(runs);
    notes = List.copyOf(notes);
  }

  /**
   * The comparison of a file, under {@code key=value} pairs as {@link JobConfig#load(Optional,
   * List)} takes them. An arm, and a dataset, stand above all of them.
   *
   * @throws UserException with one line for every problem of the file, the pairs and any run
   */
  public static Comparison load(Optional<Path> file, List<String> overrides) {
    return new ComparisonReader(Sources.merge("", file, overrides)).read();
  }

  /** What is the same for all arms that are compared with each other. */
  public record Setting(String dataset, double fraction, double labelFraction) {}

  /**
   * A run and its place in the comparison.
   *
   * @param config its whole configuration; the id follows from its place
   */
  public record Run(Setting setting, String arm, JobConfig config) {

    public String id() {
      return config.run().id();
    }

    public long seed() {
      return config.run().seed();
    }
  }

  /** A run of each arm on each dataset, the one with the most images: no other takes more. */
  public List<JobConfig> largest() {
    Map<List<String>, Run> largest = new LinkedHashMap<>();
    for (Run run : runs) {
      largest.merge(
          List.of(run.setting().dataset(), run.arm()),
          run,
          (a, b) -> a.setting().fraction() >= b.setting().fraction() ? a : b);
    }
    return largest.values().stream().map(Run::config).toList();
  }

  /** What all of its runs have in common: where results go, and threads of a worker. */
  public JobConfig common() {
    return runs.get(0).config();
  }
}
