package org.mixtraining.spark.exchange;

import java.io.Serializable;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.resource.ResourceProfile;
import org.mixtraining.config.AveragingConfig.Exchange;
import org.mixtraining.config.OptimizerConfig.Betas;
import org.mixtraining.config.UserException;
import org.mixtraining.run.WorkerResult;
import org.mixtraining.vit.state.ModelState;

/**
 * The exchange of states in a round: workers are given the one that they begin with, and those that
 * they end with are averaged.
 */
public sealed interface StateExchange permits DriverExchange, ShuffleExchange, BlockExchange {

  /** A state between two rounds, held where tasks can read it; the driver's handle on it. */
  sealed interface Held permits BroadcastState, SlicedState {

    /** What reads it in a task. */
    Reader reader();

    /** The state, on the driver. */
    ModelState state();

    /** Frees what holds it; it can be called again. */
    void release();
  }

  /** Reads a held state in a task. */
  @FunctionalInterface
  interface Reader extends Serializable {
    /** The state, which other tasks of the process may be given too. */
    ModelState read();
  }

  /**
   * The average, and what each worker reports.
   *
   * @param held the same bits whichever exchange it came by
   * @param reports in worker order; their states hold step counts but no values
   */
  record Averaged(Held held, List<WorkerResult> reports) {}

  /** Holds the state that an epoch begins with, until it is released. */
  default Held hold(JavaSparkContext spark, ModelState state) {
    return new BroadcastState(spark, state);
  }

  /**
   * Runs the tasks of a round and averages what they end with.
   *
   * @param results one a worker
   * @param before the state they begin with, which stays held
   * @param betas of the round's objective
   */
  Averaged average(JavaRDD<WorkerResult> results, Held before, Betas betas);

  /** Bytes of states that an epoch sends to, between and from the workers. */
  long bytes(ModelState state, int workers, int rounds);

  /** Frees what failed rounds may have left. */
  default void close() {}

  /**
   * An exchange, and why it was taken.
   *
   * @param reason for a person
   */
  record Choice(StateExchange exchange, String reason) {}

  /**
   * The share of the driver's heap that states may take: each worker's is there three times for a
   * moment (as it came, read, and in parts), and huge arrays leave gaps.
   */
  int HEAP_SHARE = 4;

  /**
   * Bytes of all states together up to which the driver averages them in less time than the
   * executors, which need a second job for it.
   */
  long FEW_BYTES = 8_000_000;

  /**
   * What the driver can take.
   *
   * @param heap bytes
   * @param results bytes that the tasks of a job may send it, {@code spark.driver.maxResultSize}
   */
  record Room(long heap, long results) {

    /** Whether all workers may send their states, which are serialized as little more. */
    boolean takes(int workers, long stateBytes) {
      return 1.1 * workers * stateBytes <= results;
    }

    private String of(int workers, long stateBytes) {
      return String.format(
          Locale.ROOT,
          "%d states of %.1f MB each, with 10 %% for their serialisation, are more than spark.driver.maxResultSize = %.1f MB",
          workers,
          stateBytes / 1e6,
          results / 1e6);
    }
  }

  /** States in a driver that averages: those of the workers, and what it sent them, twice. */
  static int onDriver(int workers) {
    return workers + 2;
  }

  /**
   * The exchange for a run.
   *
   * @param stateBytes parameters and moments of one worker
   * @param blocks whether {@link ExecutorBlocks} can be used
   * @param profile of the stages that train
   * @throws UserException if blocks are asked for and cannot be used, or averages on a driver that
   *     may not be sent the states
   */
  static Choice choose(
      Exchange asked,
      int workers,
      long stateBytes,
      Room driver,
      boolean blocks,
      Optional<ResourceProfile> profile) {
    if (asked == Exchange.BLOCKS && !blocks) {
      throw new UserException(
          "mixtraining.averaging.exchange = blocks: this Spark's block managers lack methods that it uses, which Spark 3.5 has; set auto, driver or shuffle");
    }
    boolean sent = driver.takes(workers, stateBytes);
    if (asked == Exchange.DRIVER && !sent) {
      throw new UserException(
          "mixtraining.averaging.exchange = driver: %s; set spark.driver.maxResultSize = 0 (no limit) or mixtraining.averaging.exchange = auto"
              .formatted(driver.of(workers, stateBytes)));
    }
    String set = "set by mixtraining.averaging.exchange";
    return switch (asked) {
      case DRIVER -> driver(set);
      case SHUFFLE -> shuffle(set, profile);
      case BLOCKS -> blocks(set, profile);
      case AUTO -> {
        boolean few = workers * stateBytes <= FEW_BYTES;
        if (!sent) {
          String reason = driver.of(workers, stateBytes);
          yield blocks ? blocks(reason, profile) : shuffle(reason, profile);
        }
        if (few || blocks) {
          String reason =
              String.format(
                  Locale.ROOT,
                  "%d states of %.1f MB each are %s %.1f MB together",
                  workers,
                  stateBytes / 1e6,
                  few ? "at most" : "more than",
                  FEW_BYTES / 1e6);
          yield few ? driver(reason) : blocks(reason, profile);
        }
        boolean fits = onDriver(workers) * stateBytes <= driver.heap / HEAP_SHARE;
        String reason =
            String.format(
                Locale.ROOT,
                "%d states of %.1f MB, two of them the driver's own, are %s than 1/%d of its heap of %d MB",
                onDriver(workers),
                stateBytes / 1e6,
                fits ? "less" : "more",
                HEAP_SHARE,
                driver.heap / 1_000_000);
        yield fits ? driver(reason) : shuffle(reason, profile);
      }
    };
  }

  private static Choice driver(String reason) {
    return new Choice(new DriverExchange(), "averages on the driver: " + reason);
  }

  private static Choice shuffle(String reason, Optional<ResourceProfile> profile) {
    return new Choice(new ShuffleExchange(profile), "averages by a Spark shuffle: " + reason);
  }

  private static Choice blocks(String reason, Optional<ResourceProfile> profile) {
    return new Choice(
        new BlockExchange(profile), "averages through the executors' block managers: " + reason);
  }
}
