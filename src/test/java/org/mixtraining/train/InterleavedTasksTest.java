package org.mixtraining.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.mixtraining.data.Share;
import org.mixtraining.kernels.WorkerThreads;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.schedule.Objective;
import org.mixtraining.vit.Batch;
import org.mixtraining.vit.Head;
import org.nd4j.linalg.dataset.api.MultiDataSet;

class InterleavedTasksTest {
  private static final List<Head> HEADS =
      List.of(new Head("head-a", Jobs.CLASSES, 1), new Head("head-b", Jobs.CLASSES, 1));

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

    List<MultiDataSet> batches = new ArrayList<>();
    new InterleavedTasks(objective, HEADS, List.of(batches(plan, 10), batches(plan, 3)))
        .forEachRemaining(batches::add);

    List<Batch.Position> positions = batches.stream().map(Batch.Position::of).toList();
    assertThat(positions).extracting(Batch.Position::step).containsExactly(0, 1, 2, 3);
    assertThat(positions).extracting(Batch.Position::steps).containsOnly(4);
    assertThat(positions)
        .extracting(Batch.Position::head)
        .containsExactly("head-a", "head-a", "head-b", "head-a");
    assertThat(positions.get(2).ids()).containsExactlyInAnyOrder(0L, 1L, 2L);
    assertThat(batches)
        .extracting(batch -> batch.getFeatures(0).size(0))
        .containsExactly(4L, 3L, 3L, 3L);
    assertThat(batches.get(2).getLabels())
        .hasSize(
            switch (objective) {
              case SSL -> 1;
              case SL -> 2;
              case JOINT -> 3;
            });
  }

  private static TrainingBatches batches(EpochPlan plan, int images) {
    return TrainingBatches.of(
        Jobs.config(),
        Jobs.vit(),
        plan,
        Share.all(Jobs.images(images), Jobs.NORMALIZATION),
        new WorkerThreads(1));
  }
}
