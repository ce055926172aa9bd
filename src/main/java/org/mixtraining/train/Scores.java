package org.mixtraining.train;

import java.io.Serializable;
import java.util.Collections;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;

/**
 * A model's score on every task. What is said of all tasks together is the mean over them, each
 * task counting the same whatever its number of images; of a single task it is that task's own.
 *
 * @param tasks scores by the name of the task
 */
public record Scores(SortedMap<String, Score> tasks) implements Serializable {

  /** Of no image. */
  public static final Scores NONE = new Scores(new TreeMap<>());

  public Scores {
    tasks = Collections.unmodifiableSortedMap(new TreeMap<>(tasks));
  }

  public static Scores of(String task, Score score) {
    return new Scores(new TreeMap<>(Map.of(task, score)));
  }

  public Scores plus(Scores other) {
    SortedMap<String, Score> sums = new TreeMap<>(tasks);
    other.tasks.forEach((task, score) -> sums.merge(task, score, Score::plus));
    return new Scores(sums);
  }

  public long images() {
    return tasks.values().stream().mapToLong(Score::images).sum();
  }

  /** Share of correct images; NaN of none. */
  public double accuracy() {
    return mean(Score::accuracy);
  }

  /** Share of images whose label was among the five most probable; NaN of none. */
  public double topFive() {
    return mean(Score::topFive);
  }

  /** Mean cross-entropy in nats; NaN of none. */
  public double loss() {
    return mean(Score::loss);
  }

  /** Over the tasks that have images. */
  private double mean(ToDoubleFunction<Score> what) {
    return tasks.values().stream()
        .filter(score -> score.images() > 0)
        .mapToDouble(what)
        .average()
        .orElse(Double.NaN);
  }
}
