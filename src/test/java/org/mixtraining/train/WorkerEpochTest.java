package org.mixtraining.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mixtraining.config.MixConfig.MixPass;
import org.mixtraining.data.Share;
import org.mixtraining.kernels.WorkerThreads;
import org.mixtraining.schedule.EncoderInput;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.schedule.Objective;
import org.mixtraining.train.TrainingBatch.Position;
import org.mixtraining.vit.Replica;
import org.mixtraining.vit.StepResult;

@ExtendWith(OneThread.class)
class WorkerEpochTest {

  /** 10 images, 6 of them labelled, in minibatches of 4, 4 and 2. */
  private static TaskBatches batches(EpochPlan plan) {
    return WorkerBatches.of(
            Jobs.config("data.label-fraction=0.6"),
            Jobs.vit(),
            plan,
            Share.all(Jobs.images(10), Jobs.NORMALIZATION),
            new WorkerThreads(1))
        .prepared(0);
  }

  @Test
  void lossesAreWeightedByTheImagesTheyAreMeansOf() {
    EpochPlan plan = Jobs.plan(2, Objective.JOINT, 0.25, 1e-3);
    try (Replica replica = Jobs.replica(Objective.JOINT, MixPass.VISIBLE);
        Replica twin = Jobs.replica(Objective.JOINT, MixPass.VISIBLE)) {
      EpochMetrics metrics = WorkerEpoch.run(replica, plan, 0, batches(plan));

      twin.plan(plan, 3);
      List<StepResult> steps = new ArrayList<>();
      GraphSteps ofTwin = new GraphSteps(twin);
      batches(plan).forEachRemaining(batch -> steps.addAll(ofTwin.take(batch)));
      assertThat(replica.state()).isEqualTo(twin.state());
      assertThat(metrics.steps()).isEqualTo(3);
      assertThat(metrics.images()).isEqualTo(10);
      assertThat(metrics.labelled()).isEqualTo(6);
      assertThat(metrics.correct()).isEqualTo(steps.stream().mapToInt(StepResult::correct).sum());
      int[] images = {4, 3, 3};
      double loss = 0;
      double ssl = 0;
      double sl = 0;
      for (int i = 0; i < 3; i++) {
        loss += images[i] * steps.get(i).loss();
        ssl += images[i] * steps.get(i).sslLoss();
        sl += steps.get(i).labelled() * steps.get(i).slLoss();
      }
      assertThat(metrics.loss()).isCloseTo(loss, within(1e-9));
      assertThat(metrics.sslLoss()).isCloseTo(ssl, within(1e-9));
      assertThat(metrics.slLoss()).isCloseTo(sl, within(1e-9));
      assertThat(metrics.flops())
          .isEqualTo(10 * Jobs.vit().trainingFlops(Objective.JOINT, EncoderInput.VISIBLE));
      assertThat(metrics.computeSeconds()).isPositive();
      assertThat(metrics.waitSeconds()).isNotNegative();
    }
  }

  @Test
  void anSslEpochSeesEveryImageAndNoLabel() {
    EpochPlan plan = Jobs.plan(0, Objective.SSL, 1, 1e-3);
    try (Replica replica = Jobs.replica(Objective.SSL, MixPass.VISIBLE)) {
      EpochMetrics metrics = WorkerEpoch.run(replica, plan, 0, batches(plan));

      assertThat(metrics.images()).isEqualTo(10);
      assertThat(metrics.labels()).isEmpty();
      assertThat(metrics.loss()).isEqualTo(metrics.sslLoss());
      assertThat(metrics.slLoss()).isNaN();
    }
  }

  @Test
  void anSlEpochSeesLabelledImagesOnly() {
    EpochPlan plan = Jobs.plan(0, Objective.SL, 0, 1e-3);
    try (Replica replica = Jobs.replica(Objective.SL, MixPass.VISIBLE)) {
      EpochMetrics metrics = WorkerEpoch.run(replica, plan, 0, batches(plan));

      assertThat(metrics.images()).isEqualTo(6);
      assertThat(metrics.labelled()).isEqualTo(6);
      assertThat(metrics.steps()).isEqualTo(2);
      assertThat(metrics.loss()).isCloseTo(metrics.slLoss(), within(1e-9));
      assertThat(metrics.sslLoss()).isNaN();
    }
  }

  @Test
  void minibatchesKnowTheirPlaceInTheEpoch() {
    List<TrainingBatch> batches = new ArrayList<>();
    batches(Jobs.plan(0, Objective.SSL, 1, 1e-3)).forEachRemaining(batches::add);

    assertThat(batches)
        .extracting(TrainingBatch::position)
        .containsExactly(new Position(0, 3), new Position(1, 3), new Position(2, 3));
    assertThat(batches).extracting(TrainingBatch::head).containsOnly("head");
    assertThat(batches.stream().flatMapToLong(batch -> LongStream.of(batch.ids())))
        .containsExactlyInAnyOrder(0L, 1L, 2L, 3L, 4L, 5L, 6L, 7L, 8L, 9L);
  }

  @Test
  void minibatchesAreTheSameAgainForOneEpochAndOthersForAnother() {
    assertThat(features(0)).isDeepEqualTo(features(0));
    assertThat(features(0)[0]).isNotEqualTo(features(1)[0]);
  }

  private static float[][] features(int epoch) {
    List<float[]> features = new ArrayList<>();
    batches(Jobs.plan(epoch, Objective.SSL, 1, 1e-3))
        .forEachRemaining(batch -> features.add(((TrainingBatch.Prepared) batch).pixels()));
    return features.toArray(float[][]::new);
  }

  @ParameterizedTest
  @CsvSource({"SSL, 1", "SL, 0", "JOINT, 0.5"})
  void aDivergedLossStopsTheEpochAndNamesItsStep(Objective objective, double alpha) {
    EpochPlan plan = Jobs.plan(6, objective, alpha, 1e30);
    try (Replica replica = Jobs.replica(objective, MixPass.VISIBLE)) {
      assertThatThrownBy(() -> WorkerEpoch.run(replica, plan, 0, batches(plan)))
          .isInstanceOf(NonFiniteLossException.class)
          .hasMessageMatching(
              "the loss became (NaN|-?Infinity) in epoch 7, worker 0, step 2; lower mixtraining\\.optimizer\\.base-lr or raise mixtraining\\.optimizer\\.warmup");
    }
  }

  @Test
  void aThreadWithoutAnEngineTrainsNothing() throws InterruptedException {
    EpochPlan plan = Jobs.plan(0, Objective.SL, 0, 1e-3);
    AtomicReference<Throwable> thrown = new AtomicReference<>();
    try (Replica replica = Jobs.replica(Objective.SL, MixPass.VISIBLE)) {
      Thread stranger =
          new Thread(() -> WorkerEpoch.run(replica, plan, 0, batches(plan)), "stranger");
      stranger.setUncaughtExceptionHandler((thread, e) -> thrown.set(e));
      stranger.start();
      stranger.join();
    }

    assertThat(thrown.get())
        .isInstanceOf(IllegalStateException.class)
        .hasMessageStartingWith("thread stranger has no engine to compute with");
  }

  /** A device's results come late, several at a time. */
  @Test
  void resultsThatComeLateMakeTheSameMetrics() {
    EpochPlan plan = Jobs.plan(0, Objective.JOINT, 0.5, 1e-3);
    try (Replica replica = Jobs.replica(Objective.JOINT, MixPass.VISIBLE);
        Replica late = Jobs.replica(Objective.JOINT, MixPass.VISIBLE)) {
      EpochMetrics expected = WorkerEpoch.run(replica, plan, 0, batches(plan));
      EpochMetrics actual =
          WorkerEpoch.run(late, new LateSteps(late), plan, 0, batches(plan), StepListener.NONE);

      assertThat(actual)
          .usingRecursiveComparison()
          .ignoringFields("computeSeconds", "waitSeconds")
          .isEqualTo(expected);
    }
  }

  @Test
  void aLossThatIsKnownLateNamesItsOwnStep() {
    EpochPlan plan = Jobs.plan(6, Objective.SL, 0, 1e30);
    try (Replica replica = Jobs.replica(Objective.SL, MixPass.VISIBLE)) {
      LateSteps steps = new LateSteps(replica);
      assertThatThrownBy(
              () -> WorkerEpoch.run(replica, steps, plan, 0, batches(plan), StepListener.NONE))
          .isInstanceOf(NonFiniteLossException.class)
          .hasMessageContaining("step 2;");
    }
  }

  /** The graph's steps, their results all at the end. */
  private static final class LateSteps implements StepExecutor {
    private final GraphSteps steps;
    private final List<StepResult> results = new ArrayList<>();

    LateSteps(Replica replica) {
      steps = new GraphSteps(replica);
    }

    @Override
    public void begin(EpochPlan plan, int count) {
      steps.begin(plan, count);
    }

    @Override
    public List<StepResult> take(TrainingBatch minibatch) {
      results.addAll(steps.take(minibatch));
      return List.of();
    }

    @Override
    public List<StepResult> end() {
      return results;
    }

    @Override
    public void close() {
      steps.close();
    }
  }

  @Test
  void anEpochWithoutMinibatchesChangesNothing() {
    EpochPlan plan = Jobs.plan(0, Objective.SL, 0, 1e-3);
    try (Replica replica = Jobs.replica(Objective.SL, MixPass.VISIBLE)) {
      var before = replica.state();

      EpochMetrics metrics = WorkerEpoch.run(replica, plan, 0, List.<TrainingBatch>of().iterator());

      assertThat(metrics.images()).isZero();
      assertThat(metrics.steps()).isZero();
      assertThat(replica.state()).isEqualTo(before);
    }
  }

  @Test
  void metricsOfWorkersAddUpAndTheirTimesOverlap() {
    EpochMetrics one = new EpochMetrics(10, labels("a", 5), 2, 3, 4, 5, 6, 7, 2, 1);
    EpochMetrics other = new EpochMetrics(1, labels("b", 1), 1, 1, 1, 1, 1, 1, 1, 3);

    SortedMap<String, Long> both = labels("a", 5);
    both.put("b", 1L);
    assertThat(one.plus(other)).isEqualTo(new EpochMetrics(11, both, 3, 4, 5, 6, 7, 8, 2, 3));
    assertThat(one.plus(other).labelled()).isEqualTo(6);
    assertThat(EpochMetrics.NONE.plus(one)).isEqualTo(one);
  }

  private static SortedMap<String, Long> labels(String head, long count) {
    return new TreeMap<>(Map.of(head, count));
  }
}
