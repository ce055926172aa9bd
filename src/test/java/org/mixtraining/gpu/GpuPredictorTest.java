package org.mixtraining.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.ModelConfig.Pooling;
import org.mixtraining.config.ModelConfig.Positions;
import org.mixtraining.schedule.EncoderInput;
import org.mixtraining.schedule.Objective;
import org.mixtraining.vit.Batch;
import org.mixtraining.vit.Head;
import org.mixtraining.vit.Perturbed;
import org.mixtraining.vit.Replica;
import org.mixtraining.vit.ViT;
import org.mixtraining.vit.ViTFixtures;
import org.mixtraining.vit.ViTGraph;
import org.mixtraining.vit.state.ModelState;

/** What the GPU's program says of images, its kernels run on the CPU, is what the graph says. */
class GpuPredictorTest {
  private static final List<Head> HEADS =
      List.of(new Head("head-a", 5, 1), new Head("head-b", 3, 1));

  @ParameterizedTest
  @CsvSource({"MEAN, SIN_COS", "CLS, SIN_COS", "MEAN, LEARNED"})
  void probabilitiesAndFeaturesAreTheGraphs(Pooling pooling, Positions positions) {
    // A model with stochastic depth, which is for training only.
    ViT vit =
        ViTFixtures.vit(12, 3, 3, 12, 2, 3, 20, 1, 2, 5, pooling, 0.75, true, 0.4, positions, null);
    try (Replica replica = replica(vit);
        GpuPredictor predictor = new GpuPredictor(TestGpu.open(Memory.Type.FLOAT), replica)) {
      for (int epoch = 0; epoch < 2; epoch++) { // with other parameters
        load(Perturbed.state(replica.state(), 0.3, 0, epoch), predictor, replica);
        // Of two heads; more images, fewer, and as many again.
        for (int images : new int[] {2, 4, 1, 4}) {
          for (Head head : HEADS) {
            assertSame(predictor, replica, head, images, 3 * 12 * 12, 12);
          }
        }
      }
    }
  }

  /** A second task's images are smaller and grey. */
  @ParameterizedTest
  @CsvSource("MEAN, SIN_COS")
  void imagesOfATaskMayBeOfAnotherKind(Pooling pooling, Positions positions) {
    ViT vit =
        ViTFixtures.vit(12, 3, 3, 12, 2, 3, 20, 1, 2, 5, pooling, 0.75, true, 0, positions, null);
    try (Replica replica = replica(vit);
        GpuPredictor predictor = new GpuPredictor(TestGpu.open(Memory.Type.FLOAT), replica)) {
      predictor.load(replica.state());
      assertSame(predictor, replica, HEADS.get(1), 3, 9 * 9, 9);
      assertSame(predictor, replica, HEADS.get(0), 3, 3 * 12 * 12, 12);
    }
  }

  /** A masked autoencoder's, of every objective and pass that has a decoder. */
  @ParameterizedTest
  @CsvSource({
    "SSL, VISIBLE, SIN_COS",
    "JOINT, VISIBLE, LEARNED",
    "JOINT, CORRUPTED, SIN_COS",
    "JOINT, BOTH, SIN_COS"
  })
  void predictedPatchesAreTheGraphs(Objective objective, EncoderInput input, Positions positions) {
    // The decoder is narrower than the encoder, and deeper.
    ViT vit =
        ViTFixtures.vit(
            12, 3, 3, 12, 1, 3, 8, 2, 2, 5, Pooling.MEAN, 0.5, true, 0.4, positions, null);
    try (Replica replica = replica(vit, objective, input);
        GpuPredictor predictor = new GpuPredictor(TestGpu.open(Memory.Type.FLOAT), replica)) {
      for (int epoch = 0; epoch < 2; epoch++) { // with other parameters
        load(Perturbed.state(replica.state(), 0.3, 0, epoch), predictor, replica);
        for (int images : new int[] {2, 4, 1, 4}) {
          float[] pixels = pixels(images, 3 * 12 * 12);
          float[] mask = Batch.masks(vit, LongStream.range(0, images).toArray(), 7, images);
          float[] expected = replica.patches(pixels, mask, images, 12);
          assertThat(predictor.patches(pixels, mask, images, 12))
              .hasSize(images * 17 * 27)
              .containsExactly(expected, within(1e-5f));
        }
      }
    }
  }

  private static void load(ModelState state, GpuPredictor predictor, Replica replica) {
    ModelState model = state.withoutMoments();
    predictor.load(model);
    replica.loadParameters(model);
  }

  private static void assertSame(
      GpuPredictor predictor, Replica replica, Head head, int images, int values, int size) {
    float[] pixels = pixels(images, values);
    float[] expected = replica.predict(head.name(), pixels, images, size);
    assertThat(predictor.predict(head.name(), pixels, images, size))
        .hasSize(images * head.classes())
        .containsExactly(expected, within(1e-5f));
    if (head.equals(HEADS.get(0))) { // features are of the first head's images
      float[] features = replica.features(pixels, images, size);
      assertThat(predictor.features(pixels, images, size))
          .hasSize(images * 12)
          .containsExactly(features, within(1e-5f));
    }
  }

  private static float[] pixels(int images, int values) {
    SplittableRandom random = new SplittableRandom(images);
    float[] pixels = new float[images * values];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = (float) random.nextDouble(-1, 1);
    }
    return pixels;
  }

  private static Replica replica(ViT vit) {
    return replica(vit, Objective.SL, EncoderInput.FULL);
  }

  private static Replica replica(ViT vit, Objective objective, EncoderInput input) {
    JobConfig config = JobConfig.load(Optional.empty(), List.of());
    return new Replica(
        ViTGraph.configuration(
            vit, HEADS, objective, input, config.optimizer(), config.run().seed()));
  }
}
