package org.mixtraining.spark;

import java.util.List;
import java.util.Locale;
import org.apache.spark.api.java.JavaRDD;
import org.mixtraining.config.AveragingConfig.Exchange;
import org.mixtraining.run.WorkerResult;
import org.mixtraining.vit.state.ModelState;

/** The exchange that averages the workers' states after an epoch. */
sealed interface StateExchange permits DriverExchange, ShuffleExchange {

  /**
   * The average, and what each worker reports.
   *
   * @param state the same bits whichever exchange it came by
   * @param reports in worker order; their states hold step counts but no values
   */
  record Averaged(ModelState state, List<WorkerResult> reports) {}

  /**
   * @param results one a worker, of the tasks that train
   * @param before the state they began with
   */
  Averaged average(JavaRDD<WorkerResult> results, ModelState before);

  /** Bytes of states that an epoch sends to, between and from the workers. */
  long bytes(ModelState state, int workers);

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

  /** States in a driver that averages: those of the workers, and what it sent them, twice. */
  static int onDriver(int workers) {
    return workers + 2;
  }

  /**
   * The exchange for a run.
   *
   * @param stateBytes parameters and moments of one worker
   * @param driverHeap bytes
   */
  static Choice choose(Exchange asked, int workers, long stateBytes, long driverHeap) {
    boolean fits = onDriver(workers) * stateBytes <= driverHeap / HEAP_SHARE;
    boolean driver =
        switch (asked) {
          case DRIVER -> true;
          case SHUFFLE -> false;
          case AUTO -> fits;
        };
    String reason =
        asked == Exchange.AUTO
            ? String.format(
                Locale.ROOT,
                "%d states of %.1f MB, two of them the driver's own, are %s than 1/%d of its heap of %d MB",
                onDriver(workers),
                stateBytes / 1e6,
                fits ? "less" : "more",
                HEAP_SHARE,
                driverHeap / 1_000_000)
            : "set by mixtraining.averaging.exchange";
    return driver
        ? new Choice(new DriverExchange(), "averages on the driver: " + reason)
        : new Choice(new ShuffleExchange(), "averages by a shuffle of slices: " + reason);
  }
}
