package org.mixtraining.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.mixtraining.data.Share;
import org.mixtraining.kernels.WorkerThreads;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.schedule.Objective;
import org.mixtraining.train.TrainingBatch.Position;

class InterleavedTasksTest {
  @Test
  void tasksTakeTurnsInProportionToTheirMinibatches() {
    assertThat(InterleavedTasks.turns(List.of(3, 3))).containsExactly(0, 1, 0, 1, 0, 1);
    assertThat(InterleavedTasks.turns(List.of(1, 4))).containsExactly(1, 1, 0, 1, 1);
    assertThat(InterleavedTasks.turns(List.of(0, 2))).containsExactly(1, 1);
    assertThat(InterleavedTasks.turns(List.of())).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(Objective.class)
  void everyMinibatchComesOnceWithItsPlaceAndItsHead(Objective objective) {
    EpochPlan plan = Jobs.plan(0, objective, 0.5, 1e-3);

    List<TrainingBatch> batches = new ArrayList<>();
    new InterleavedTasks(List.of(batches("head-a", plan, 10), batches("head-b", plan, 3)), 0)
        .forEachRemaining(batches::add);

    assertThat(batches)
        .extracting(TrainingBatch::position)
        .containsExactly(
            new Position(0, 4), new Position(1, 4), new Position(2, 4), new Position(3, 4));
    assertThat(batches)
        .extracting(TrainingBatch::head)
        .containsExactly("head-a", "head-a", "head-b", "head-a");
    assertThat(batches.get(2).ids()).containsExactlyInAnyOrder(0L, 1L, 2L);
    assertThat(batches).extracting(TrainingBatch::images).containsExactly(4, 3, 3, 3);
  }

  /** Another worker has more images of the second task, which decide how many turns it has. */
  @Test
  void aTurnForWhichNoImageIsLeftIsLeftOut() {
    EpochPlan plan = Jobs.plan(0, Objective.SL, 0, 1e-3);

    List<TrainingBatch> batches = new ArrayList<>();
    new InterleavedTasks(
            List.of(batches("head-a", plan, 10, 3, 0), batches("head-b", plan, 1, 3, 0)), 0)
        .forEachRemaining(batches::add);

    assertThat(batches)
        .extracting(TrainingBatch::position)
        .containsExactly(
            new Position(0, 6), new Position(1, 6), new Position(2, 6), new Position(4, 6));
    assertThat(batches)
        .extracting(TrainingBatch::head)
        .containsExactly("head-a", "head-b", "head-a", "head-a");
  }

  @Test
  void anEpochMayGoOnAtAnyStep() {
    EpochPlan plan = Jobs.plan(0, Objective.JOINT, 0.5, 1e-3);
    List<TrainingBatch> whole = new ArrayList<>();
    new InterleavedTasks(List.of(batches("head-a", plan, 10), batches("head-b", plan, 7)), 0)
        .forEachRemaining(whole::add);
    for (int from = 0; from <= 5; from++) {
      List<Integer> begun = InterleavedTasks.begun(List.of(3, 2), from);
      List<TrainingBatch> rest = new ArrayList<>();
      new InterleavedTasks(
              List.of(
                  batches("head-a", plan, 10, 3, begun.get(0)),
                  batches("head-b", plan, 7, 2, begun.get(1))),
              from)
          .forEachRemaining(rest::add);
      assertThat(rest)
          .usingRecursiveFieldByFieldElementComparator()
          .isEqualTo(whole.subList(from, 5));
    }
  }

  private static TaskBatches batches(String head, EpochPlan plan, int images) {
    return batches(head, plan, images, (images + 3) / 4, 0);
  }

  private static TaskBatches batches(String head, EpochPlan plan, int images, int steps, int from) {
    return new WorkerBatches(
            Jobs.config(),
            Jobs.vit(),
            plan,
            head,
            Share.all(Jobs.images(images), Jobs.NORMALIZATION),
            Optional.empty(),
            steps,
            new WorkerThreads(1))
        .prepared(from);
  }
}
