package org.mixtraining.vit;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mixtraining.config.MixConfig.MixPass;
import org.mixtraining.config.ModelConfig.Pooling;
import org.mixtraining.schedule.EncoderInput;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.schedule.LearningRate;
import org.mixtraining.schedule.Objective;
import org.mixtraining.schedule.Phase;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/** Whatever a graph minimises, a few steps on eight images learn these by heart. */
class OverfitTest {

  private static final int IMAGES = 8;

  private final ViT vit =
      ViTFixtures.vit(12, 1, 3, 48, 2, 3, 24, 1, 3, IMAGES, Pooling.MEAN, 0.5, false);

  @ParameterizedTest
  @CsvSource({
    "SSL,   VISIBLE,   1,   20",
    "SL,    VISIBLE,   0,   30",
    "JOINT, VISIBLE,   0.5, 20",
    "JOINT, CORRUPTED, 0.5, 40",
    "JOINT, TWO_PASS,  0.5, 20"
  })
  void aFewStepsLearnEightImages(Objective objective, MixPass pass, double alpha, int steps) {
    LearningRate rate = new LearningRate(2e-2, 2e-3, 0.2, 1);
    try (Replica replica = ViTFixtures.replica(vit, objective, pass)) {
      replica.plan(
          new EpochPlan(
              0,
              1,
              Phase.MIX,
              objective,
              EncoderInput.of(objective, pass),
              alpha,
              0.5,
              null,
              rate,
              0,
              1),
          steps);
      MultiDataSet batch = batch(objective);
      StepResult first = ViTFixtures.fit(replica, batch);
      for (int step = 1; step < steps; step++) {
        ViTFixtures.fit(replica, batch);
      }
      StepResult last = ViTFixtures.fit(replica, batch);

      if (objective != Objective.SL) {
        assertThat(last.sslLoss()).isLessThan(0.2 * variance(batch));
      }
      if (objective != Objective.SSL) {
        assertThat(last.slLoss()).isLessThan(0.2 * first.slLoss());
        assertThat(last.correct()).isEqualTo(IMAGES);
      }
    }
  }

  /** The error of a guess that knows nothing but the mean of all pixels. */
  private static double variance(MultiDataSet batch) {
    return batch.getFeatures(0).varNumber().doubleValue();
  }

  /** Grey of eight shades, with some noise; a class each. */
  private MultiDataSet batch(Objective objective) {
    float[] pixels = ViTFixtures.pixels(vit, IMAGES);
    for (int i = 0; i < pixels.length; i++) {
      int image = i * IMAGES / pixels.length;
      pixels[i] = 0.2f * pixels[i] + (image - 3.5f) / 3.5f;
    }
    int[] labels = IntStream.range(0, IMAGES).toArray();
    long[] ids = LongStream.range(0, IMAGES).toArray();
    return Batch.training(
        vit, objective, pixels, ids, Batch.targets(vit, labels, 0), ViTFixtures.SEED, 0);
  }
}
