package org.mixtraining.spark;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.data.prepare.Prepare;
import org.mixtraining.run.EpochOutcome;
import org.mixtraining.run.RunState;
import org.mixtraining.run.ShardAssignment;

/** {@code workers.balance}: what was measured of workers decides what they get next. */
class BalancedRunTest {
  @TempDir static Path directory;
  private static SparkSession session;

  @BeforeAll
  static void start() {
    session =
        SparkSession.builder()
            .master("local[2]")
            .config("spark.ui.enabled", false)
            .config("spark.sql.shuffle.partitions", 1)
            .getOrCreate();
    session.sparkContext().setLogLevel("OFF");
    Prepare.run(
        session,
        SmallRun.config(directory.resolve("images")).data(),
        Prepare.Existing.REFUSE,
        line -> {});
  }

  @AfterAll
  static void stop() {
    session.stop();
  }

  private interface Begin {
    RunState of(RunState initial);
  }

  private static List<EpochOutcome> train(Begin begin) {
    var config = SmallRun.config(directory.resolve("images"), "workers.balance=true");
    var spark = JavaSparkContext.fromSparkContext(session.sparkContext());
    List<EpochOutcome> epochs = new ArrayList<>();
    try (var run = new SparkRun(spark, config)) {
      run.train(begin.of(run.initialState()), epochs::add);
    }
    return epochs;
  }

  private static RunState assigned(RunState state, double... speeds) {
    List<Double> list = new ArrayList<>();
    for (double speed : speeds) {
      list.add(speed);
    }
    return new RunState(
        state.epochs(),
        state.model(),
        state.resting(),
        state.averaging(),
        state.patience(),
        new ShardAssignment(list));
  }

  @Test
  void aFasterWorkerTrainsOnMoreShardsAndWeighsMore() {
    EpochOutcome first = train(initial -> assigned(initial, 3, 1)).get(0);

    long fast = first.workers().get(0).metrics().images();
    long slow = first.workers().get(1).metrics().images();
    assertThat(fast).isBetween(2 * slow, 4 * slow);
    assertThat(fast + slow).isEqualTo(first.metrics().images());
    assertThat(first.workers().get(0).weight()).isEqualTo((double) fast / first.metrics().images());
  }

  /** Whatever was measured is part of where the run stands. */
  @Test
  void aRunThatGoesOnReachesTheBitsOfTheOneItLeft() {
    List<EpochOutcome> whole = train(initial -> assigned(initial, 1, 3));

    List<EpochOutcome> rest = train(initial -> whole.get(0).state());

    assertThat(rest.get(0).plan()).isEqualTo(whole.get(1).plan());
    assertThat(rest.get(0).model().sha256()).isEqualTo(whole.get(1).model().sha256());
  }
}
