package org.mixtraining.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.mixtraining.config.MixConfig.MixPass;
import org.mixtraining.config.WorkersConfig.Precision;
import org.mixtraining.data.Share;
import org.mixtraining.kernels.Device;
import org.mixtraining.kernels.WorkerThreads;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.schedule.Objective;
import org.mixtraining.train.ReplicaPool.Lease;
import org.mixtraining.train.ReplicaPool.Purpose;
import org.mixtraining.vit.Replica;
import org.mixtraining.vit.state.ModelState;

@ExtendWith(OneThread.class)
class ReplicaPoolTest {

  private final String sl = Jobs.graph(Objective.SL, MixPass.VISIBLE);
  private final String ssl = Jobs.graph(Objective.SSL, MixPass.VISIBLE);

  @Test
  void aReturnedReplicaIsLentAgain() {
    Replica first = borrowed(Purpose.TRAINING, sl, 1);

    assertThat(borrowed(Purpose.TRAINING, sl, 1)).isSameAs(first);
  }

  @Test
  void noReplicaIsLentTwiceAtATime() {
    try (Lease one = ReplicaPool.borrow(Purpose.TRAINING, sl, Device.cpu(1, Precision.FP32));
        Lease other = ReplicaPool.borrow(Purpose.TRAINING, sl, Device.cpu(1, Precision.FP32))) {
      assertThat(other.replica()).isNotSameAs(one.replica());
    }
  }

  @Test
  void anotherGraphOrThreadCountTakesTheRoomOfIdleReplicas() {
    Replica first = borrowed(Purpose.TRAINING, sl, 1);
    Replica second = borrowed(Purpose.TRAINING, ssl, 1);
    assertThat(second).isNotSameAs(first);
    assertThat(borrowed(Purpose.TRAINING, sl, 1)).isNotSameAs(first);

    Replica third = borrowed(Purpose.TRAINING, ssl, 1);
    assertThat(borrowed(Purpose.TRAINING, ssl, 2)).isNotSameAs(third);
    assertThat(borrowed(Purpose.TRAINING, ssl, 1)).isNotSameAs(third);
  }

  @Test
  void evaluationAndTrainingKeepTheirReplicasSideBySide() {
    Replica training = borrowed(Purpose.TRAINING, ssl, 1);
    Replica evaluation = borrowed(Purpose.EVALUATION, sl, 1);

    assertThat(borrowed(Purpose.TRAINING, ssl, 1)).isSameAs(training);
    assertThat(borrowed(Purpose.EVALUATION, sl, 1)).isSameAs(evaluation);
    assertThat(borrowed(Purpose.TRAINING, sl, 1)).isNotSameAs(evaluation);
  }

  @Test
  void aReplicaInUseIsNotFreedForAnotherGraph() {
    try (Lease used = ReplicaPool.borrow(Purpose.TRAINING, sl, Device.cpu(1, Precision.FP32))) {
      try (Lease other = ReplicaPool.borrow(Purpose.TRAINING, ssl, Device.cpu(1, Precision.FP32))) {
        assertThat(other.replica().state().blocks()).containsKey(ModelState.DECODER);
      }
      assertThat(used.replica().predict(new float[64], 1)).hasSize(Jobs.CLASSES);
    }
  }

  /** As after an error of a GPU, which all that comes after it on it would repeat. */
  @Test
  void aReplicaThatFailedIsThrownAway() {
    EpochPlan healthy = Jobs.plan(0, Objective.SL, 0, 1e-3);
    EpochPlan diverging = Jobs.plan(0, Objective.SL, 0, 1e30);
    ModelState start;
    ModelState expected;
    try (Replica fresh = Jobs.replica(Objective.SL, MixPass.VISIBLE)) {
      start = fresh.state();
      WorkerEpoch.run(fresh, healthy, 0, batches(healthy));
      expected = fresh.state();
    }
    Replica failed;
    try (Lease lease = ReplicaPool.borrow(Purpose.TRAINING, sl, Device.cpu(1, Precision.FP32))) {
      failed = lease.replica();
      failed.load(start);
      assertThatThrownBy(() -> WorkerEpoch.run(lease.replica(), diverging, 0, batches(diverging)))
          .isInstanceOf(NonFiniteLossException.class);
    }

    try (Lease lease = ReplicaPool.borrow(Purpose.TRAINING, sl, Device.cpu(1, Precision.FP32))) {
      assertThat(lease.replica()).isNotSameAs(failed);
      lease.replica().load(start);
      WorkerEpoch.run(lease.replica(), healthy, 0, batches(healthy));
      assertThat(lease.replica().state()).isEqualTo(expected);
    }
  }

  private static TaskBatches batches(EpochPlan plan) {
    return WorkerBatches.of(
            Jobs.config(),
            Jobs.vit(),
            plan,
            Share.all(Jobs.images(10), Jobs.NORMALIZATION),
            new WorkerThreads(1))
        .prepared(0);
  }

  private static Replica borrowed(Purpose purpose, String graph, int threads) {
    try (Lease lease = ReplicaPool.borrow(purpose, graph, Device.cpu(threads, Precision.FP32))) {
      lease.done();
      return lease.replica();
    }
  }
}
