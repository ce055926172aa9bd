package org.mixtraining.vit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.mixtraining.config.ModelConfig.Pooling;
import org.mixtraining.schedule.Objective;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;

class BatchTest {

  private final ViT vit = ViTFixtures.small();

  @ParameterizedTest
  @EnumSource(Objective.class)
  void imagesKeepTheirPixelsAndOrder(Objective objective) {
    float[] pixels = ViTFixtures.pixels(vit, 3);
    MultiDataSet batch = batch(objective, pixels, new long[] {7, 5, 6}, new int[] {0, 1, 2});

    assertThat(batch.getFeatures(0).shape()).containsExactly(3, 3, 12, 12);
    assertThat(batch.getFeatures(0).data().asFloat()).isEqualTo(pixels);
    if (objective != Objective.SL) {
      assertThat(batch.getLabels(0)).isSameAs(batch.getFeatures(0));
    }
  }

  @Test
  void anObjectiveGetsItsLabelsAndMasks() {
    MultiDataSet ssl = ViTFixtures.batch(vit, Objective.SSL, 2);
    MultiDataSet sl = ViTFixtures.batch(vit, Objective.SL, 2);
    MultiDataSet joint = ViTFixtures.batch(vit, Objective.JOINT, 2);

    assertThat(ssl.getLabels()).hasSize(1);
    assertThat(sl.getLabels()).hasSize(1);
    assertThat(joint.getLabels()).hasSize(2);
    assertThat(sl.getFeaturesMaskArrays()).isNull();
    assertThat(ssl.getFeaturesMaskArray(0).shape()).containsExactly(2, 16);
    assertThat(joint.getFeaturesMaskArray(0)).isEqualTo(ssl.getFeaturesMaskArray(0));
    assertThat(joint.getLabels(1)).isEqualTo(sl.getLabels(0));
  }

  @Test
  void labelsAreSmoothedAndMissingOnesAreAllZero() {
    MultiDataSet batch =
        batch(Objective.SL, ViTFixtures.pixels(vit, 3), new long[] {1, 2, 3}, new int[] {4, -1, 0});
    double[][] targets = ViTFixtures.rows(batch.getLabels(0));

    assertThat(targets[0]).containsExactly(new double[] {.04, .04, .04, .04, .84}, within(1e-7));
    assertThat(targets[1]).containsOnly(0);
    assertThat(targets[2]).containsExactly(new double[] {.84, .04, .04, .04, .04}, within(1e-7));
  }

  @Test
  void withoutSmoothingALabelIsCertain() {
    MultiDataSet batch =
        Batch.training(
            vit,
            Objective.SL,
            ViTFixtures.pixels(vit, 1),
            new long[1],
            Batch.targets(vit, new int[] {2}, 0),
            1,
            0);

    assertThat(ViTFixtures.rows(batch.getLabels(0))[0]).containsExactly(0, 0, 1, 0, 0);
  }

  @ParameterizedTest
  @ValueSource(doubles = {0.01, 0.5, 0.75, 0.99})
  void everyImageShowsTheSameNumberOfPatches(double ratio) {
    ViT model = ViTFixtures.vit(12, 3, 3, 12, 2, 3, 20, 1, 2, 5, Pooling.MEAN, ratio, true);
    MultiDataSet batch = ViTFixtures.batch(model, Objective.SSL, 50);

    for (double[] row : ViTFixtures.rows(batch.getFeaturesMaskArray(0))) {
      assertThat(row).containsOnly(0, 1);
      assertThat(Arrays.stream(row).sum()).isEqualTo(model.visiblePatches());
    }
  }

  @Test
  void aMaskDependsOnSeedEpochAndImageIdOnly() {
    double[] mask = mask(vit, 1, 2, 30);

    double[][] company = masks(vit, 1, 2, LongStream.of(8, 30, 9).toArray());
    assertThat(company[1]).isEqualTo(mask);
    assertThat(company[0]).isNotEqualTo(mask);
    assertThat(mask(vit, 9, 2, 30)).isNotEqualTo(mask);
    assertThat(mask(vit, 1, 9, 30)).isNotEqualTo(mask);
    assertThat(mask(vit, 1, 2, 9)).isNotEqualTo(mask);
  }

  @Test
  void theSameMasksServeEveryObjective() {
    assertThat(ViTFixtures.batch(vit, Objective.JOINT, 5).getFeaturesMaskArray(0))
        .isEqualTo(ViTFixtures.batch(vit, Objective.SSL, 5).getFeaturesMaskArray(0));
  }

  @Test
  void everyPatchAndEveryPairOfPatchesIsSeenEquallyOften() {
    int images = 20_000;
    int[] seen = new int[16];
    int[][] together = new int[16][16];
    for (double[] mask : masks(vit, 5, 0, LongStream.range(0, images).toArray())) {
      for (int a = 0; a < 16; a++) {
        seen[a] += (int) mask[a];
        for (int b = 0; b < a; b++) {
          together[a][b] += (int) (mask[a] * mask[b]);
        }
      }
    }

    // 5 standard deviations of a binomial count
    assertThat(Arrays.stream(seen).boxed()).allSatisfy(n -> assertThat(n).isBetween(4700, 5300));
    double pair = images * (4.0 / 16) * (3.0 / 15);
    for (int a = 0; a < 16; a++) {
      for (int b = 0; b < a; b++) {
        assertThat((double) together[a][b]).isCloseTo(pair, within(5 * Math.sqrt(pair)));
      }
    }
  }

  private MultiDataSet batch(Objective objective, float[] pixels, long[] ids, int[] labels) {
    return Batch.training(vit, objective, pixels, ids, Batch.targets(vit, labels, 0.2), 1, 0);
  }

  private static double[] mask(ViT vit, long seed, int epoch, long id) {
    return masks(vit, seed, epoch, id)[0];
  }

  private static double[][] masks(ViT vit, long seed, int epoch, long... ids) {
    ViT tiny =
        ViTFixtures.vit(
            4, 1, 1, 12, 1, 3, 12, 1, 3, 5, Pooling.MEAN, vit.served().maskRatio(), true);
    float[] pixels = new float[ids.length * 16];
    return ViTFixtures.rows(
        Batch.training(tiny, Objective.SSL, pixels, ids, null, seed, epoch)
            .getFeaturesMaskArray(0));
  }

  @Test
  void greyImagesAreSeenAsColouredByAModelThatSeesColours() {
    ViT colour = ViTFixtures.vit(2, 3, 1, 12, 1, 3, 12, 1, 3, 5, Pooling.MEAN, 0.5, true);

    INDArray images = Batch.images(colour, new float[] {1, 2, 3, 4, 5, 6, 7, 8}, 2);

    assertThat(images.shape()).containsExactly(2, 3, 2, 2);
    assertThat(images.data().asFloat())
        .containsExactly(1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4, 5, 6, 7, 8, 5, 6, 7, 8, 5, 6, 7, 8);
  }

  @Test
  void aMinibatchOfOneTaskHasNoLabelsForTheOthers() {
    ViT vit = ViTFixtures.small();
    List<Head> heads =
        List.of(new Head("head-a", 3, 1), new Head("head-b", 5, 1), new Head("head-c", 2, 1));
    MultiDataSet single = ViTFixtures.batch(vit, Objective.JOINT, 4);

    MultiDataSet batch = Batch.among(heads, "head-b", single);

    assertThat(batch.getFeatures(0)).isSameAs(single.getFeatures(0));
    assertThat(batch.getFeaturesMaskArray(0)).isSameAs(single.getFeaturesMaskArray(0));
    assertThat(batch.getLabels()).hasSize(4);
    assertThat(batch.getLabels(0)).isSameAs(single.getLabels(0));
    assertThat(batch.getLabels(1)).isEqualTo(Nd4j.zeros(4, 3));
    assertThat(batch.getLabels(2)).isSameAs(single.getLabels(1));
    assertThat(batch.getLabels(3)).isEqualTo(Nd4j.zeros(4, 2));
  }
}
