package org.mixtraining.jobs;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CompletionService;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.mixtraining.config.Causes;
import org.mixtraining.config.Comparison;
import org.mixtraining.results.RunRow;
import org.mixtraining.spark.SparkBackend;

/**
 * Runner of a comparison's runs in one Spark session, several at a time: a thread each submits its
 * own Spark jobs, to one of the pools between which Spark's FAIR scheduler shares the executors.
 */
public record ComparisonRunner(
    SparkSession session, Interruption interruption, Consumer<String> report) {
  /** What came of a run: a row, or why there is none. */
  private record Outcome(Comparison.Run run, RunRow row, Throwable failure) {}

  /**
   * Trains what is left; a run that fails does not keep others from training.
   *
   * @return why runs failed
   * @throws InterruptedRunException if it is told to stop
   */
  public List<Throwable> train(ComparisonPlan plan) {
    List<Comparison.Run> left = plan.left();
    ExecutorService threads = Executors.newFixedThreadPool(plan.comparison().parallel());
    try {
      CompletionService<Outcome> outcomes = new ExecutorCompletionService<>(threads);
      int slots = slots();
      int trainings = Math.min(plan.comparison().parallel(), left.size());
      for (int i = 0; i < left.size(); i++) {
        Comparison.Run run = left.get(i);
        String pool = pool(i, slots);
        outcomes.submit(() -> train(run, pool, trainings));
      }
      ComparisonPlan.Clock clock = plan.clock();
      List<Throwable> failures = new ArrayList<>();
      InterruptedRunException interrupted = null;
      for (int done = 1; done <= left.size(); done++) {
        Outcome outcome = outcomes.take().get();
        if (outcome.failure() instanceof InterruptedRunException) {
          // The others are stopping too, and have yet to record where they got.
          interrupted = interrupted(plan, outcome.failure());
          continue;
        }
        String line =
            outcome.failure() == null
                ? summary(outcome.row())
                : "failed: " + Causes.reason(outcome.failure());
        report.accept(
            "%s/%s %s: %s%s"
                .formatted(
                    done, left.size(), outcome.run().id(), line, clock.after(outcome.run())));
        if (outcome.failure() != null) {
          failures.add(outcome.failure());
        }
      }
      if (interrupted != null) {
        throw interrupted;
      }
      return failures;
    } catch (InterruptedException | ExecutionException e) {
      throw new IllegalStateException("the comparison stopped", e);
    } finally {
      threads.shutdownNow();
    }
  }

  private JavaSparkContext spark() {
    return JavaSparkContext.fromSparkContext(session.sparkContext());
  }

  /** Workers that the cluster trains at a time. */
  private int slots() {
    JavaSparkContext spark = spark();
    return Math.max(1, spark.defaultParallelism() / spark.getConf().getInt("spark.task.cpus", 1));
  }

  /**
   * The pool of a run. There are no more pools than slots: of several that have nothing running
   * Spark always serves the first by name, so with more of them one could wait for ever. The runs
   * of a pool take turns by epochs, the one that has waited longest first.
   */
  static String pool(int run, int slots) {
    return "compare-" + run % slots;
  }

  private Outcome train(Comparison.Run run, String pool, int trainings) {
    if (interruption.requested()) {
      return new Outcome(
          run, null, new InterruptedRunException(run.id() + " was not started", null));
    }
    JavaSparkContext spark = spark();
    spark.setLocalProperty("spark.scheduler.pool", pool);
    try (TrainingJob job =
        new TrainingJob(run.id(), run.config(), spark.hadoopConfiguration(), report)) {
      RunRow row =
          job.train(
              data -> new SparkBackend(spark, data, trainings),
              Optional.of(session),
              interruption,
              line -> {},
              epoch -> {});
      return new Outcome(run, row, null);
    } catch (RuntimeException | Error e) {
      return new Outcome(run, null, e);
    }
  }

  private static InterruptedRunException interrupted(ComparisonPlan plan, Throwable cause) {
    return new InterruptedRunException(
        "comparison %s was interrupted; run the same command to resume"
            .formatted(plan.comparison().name()),
        cause);
  }

  private static String summary(RunRow row) {
    RunRow.Progress p = row.progress();
    Double accuracy =
        p.testAccuracyAtBest() == null ? p.finalTestAccuracy() : p.testAccuracyAtBest();
    return String.format(
        Locale.ROOT,
        "%s%.1f device s",
        accuracy == null ? "" : String.format(Locale.ROOT, "test %.2f %%, ", 100 * accuracy),
        p.deviceSeconds());
  }
}
