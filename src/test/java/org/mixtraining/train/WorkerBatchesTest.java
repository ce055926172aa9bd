package org.mixtraining.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.mixtraining.data.Share;
import org.mixtraining.kernels.WorkerThreads;
import org.mixtraining.schedule.Objective;
import org.mixtraining.vit.state.ModelState;

class WorkerBatchesTest {
  private static final String[] PLAIN = {
    "augment.ssl.crop-padding=0", "augment.ssl.flip=false",
    "augment.sl.crop-padding=0", "augment.sl.flip=false",
    "optimizer.label-smoothing=0.1",
  };

  private static List<TrainingBatch> batches(Objective objective, String... overrides) {
    List<String> all = new ArrayList<>(List.of(PLAIN));
    all.addAll(List.of(overrides));
    List<TrainingBatch> batches = new ArrayList<>();
    WorkerBatches.of(
            Jobs.config(all.toArray(String[]::new)),
            Jobs.vit(),
            Jobs.plan(0, objective, 0.5, 1e-3),
            Share.all(Jobs.images(12), Jobs.NORMALIZATION),
            new WorkerThreads(1))
        .prepared(0)
        .forEachRemaining(batches::add);
    return batches;
  }

  private static float[][] pixels(Objective objective, String... overrides) {
    return batches(objective, overrides).stream()
        .map(batch -> ((TrainingBatch.Prepared) batch).pixels())
        .toArray(float[][]::new);
  }

  /** The partners of an image are those that it has in an epoch which began before. */
  @Test
  void anEpochThatGoesOnMixesInTheSameImagesOfAnotherDataset() {
    WorkerBatches batches =
        new WorkerBatches(
            Jobs.config("mix.lambda=0.25"),
            Jobs.vit(),
            Jobs.plan(0, Objective.JOINT, 0.5, 1e-3),
            ModelState.HEAD,
            Share.all(Jobs.images(12), Jobs.NORMALIZATION),
            Optional.of(Share.all(Jobs.images(5), Jobs.NORMALIZATION)),
            4,
            new WorkerThreads(1));
    for (int from = 0; from <= 4; from++) {
      assertThat(batches.prepared(from))
          .toIterable()
          .usingRecursiveFieldByFieldElementComparator()
          .isEqualTo(list(batches.prepared(0)).subList(from, 4));
      assertThat(batches.raw(from))
          .toIterable()
          .extracting(batch -> partners((TrainingBatch.Raw) batch))
          .isEqualTo(
              list(batches.raw(0)).subList(from, 4).stream()
                  .map(batch -> partners((TrainingBatch.Raw) batch))
                  .toList());
    }
  }

  private static List<Long> partners(TrainingBatch.Raw batch) {
    TrainingBatch.Raw.Picked others = batch.others().orElseThrow();
    return Arrays.stream(others.indices()).mapToObj(others.set()::id).toList();
  }

  private static List<TrainingBatch> list(TaskBatches batches) {
    List<TrainingBatch> list = new ArrayList<>();
    batches.forEachRemaining(list::add);
    return list;
  }

  @ParameterizedTest
  @CsvSource({"SSL, ssl, sl", "SL, sl, ssl", "JOINT, sl, ssl"})
  void anObjectiveSeesItsOwnAugmentation(Objective objective, String own, String other) {
    float[][] plain = pixels(objective);

    assertThat(pixels(objective, "augment." + other + ".crop-padding=2")).isDeepEqualTo(plain);
    assertThat(pixels(objective, "augment." + own + ".crop-padding=2")[0]).isNotEqualTo(plain[0]);
  }

  @ParameterizedTest
  @EnumSource(names = {"SSL", "JOINT"})
  void onlySlMinibatchesAreMixed(Objective objective) {
    assertThat(pixels(objective, "augment.mixup=1", "augment.cutmix=1"))
        .isDeepEqualTo(pixels(objective));
  }

  @ParameterizedTest
  @ValueSource(strings = {"augment.mixup=1", "augment.cutmix=1"})
  void mixedTargetsAreSmoothedDistributions(String mixing) {
    assertThat(pixels(Objective.SL, mixing)[0]).isNotEqualTo(pixels(Objective.SL)[0]);
    boolean mixed = false;
    for (TrainingBatch batch : batches(Objective.SL, mixing)) {
      float[] targets = batch.targets();
      for (int from = 0; from < targets.length; from += Jobs.CLASSES) {
        float[] target = Arrays.copyOfRange(targets, from, from + Jobs.CLASSES);
        double sum = 0;
        double largest = 0;
        for (float value : target) {
          assertThat(value).isGreaterThanOrEqualTo(0.0199f); // 0.1 spread over 5 classes
          sum += value;
          largest = Math.max(largest, value);
        }
        assertThat(sum).isCloseTo(1, within(1e-6));
        mixed |= largest < 0.9;
      }
    }
    assertThat(mixed).isTrue();
  }

  @Test
  void mixingIsTheSameAgain() {
    assertThat(pixels(Objective.SL, "augment.mixup=0.8"))
        .isDeepEqualTo(pixels(Objective.SL, "augment.mixup=0.8"));
  }
}
