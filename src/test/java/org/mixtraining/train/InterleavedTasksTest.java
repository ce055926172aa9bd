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
    new InterleavedTasks(List.of(batches("head-a", plan, 10), batches("head-b", plan, 3)))
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

  private static TaskBatches batches(String head, EpochPlan plan, int images) {
    return new WorkerBatches(
            Jobs.config(),
            Jobs.vit(),
            plan,
            head,
            Share.all(Jobs.images(images), Jobs.NORMALIZATION),
            Optional.empty(),
            (images + 3) / 4,
            new WorkerThreads(1))
        .prepared();
  }
}
