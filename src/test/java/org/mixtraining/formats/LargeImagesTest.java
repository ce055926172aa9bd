package org.mixtraining.formats;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.mixtraining.config.InitConfig.InitParts;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.MixConfig.MixPass;
import org.mixtraining.data.Normalization;
import org.mixtraining.formats.TimmWeights.Weight;
import org.mixtraining.schedule.EncoderInput;
import org.mixtraining.schedule.Objective;
import org.mixtraining.train.Classifier;
import org.mixtraining.vit.Batch;
import org.mixtraining.vit.Perturbed;
import org.mixtraining.vit.Replica;
import org.mixtraining.vit.StepResult;
import org.mixtraining.vit.ViT;
import org.mixtraining.vit.ViTFixtures;
import org.mixtraining.vit.ViTGraph;
import org.mixtraining.vit.state.ModelState;

/** The usual models at their usual size: images of 224 pixels in patches of 16. */
class LargeImagesTest {
  private static final int SIDE = 224;
  private static final List<String> CLASSES = List.of("a", "b", "c");

  private final ModelCard.Task task =
      new ModelCard.Task(
          "main",
          SIDE,
          new Normalization(List.of(0.5, 0.4, 0.3), List.of(0.2, 0.25, 0.3)),
          CLASSES,
          0.875);

  private static JobConfig config(String preset) {
    return JobConfig.load(
        Optional.empty(),
        List.of("model.preset=" + preset, "model.patch=16", "optimizer.accumulate=2"));
  }

  private static ViT vit(JobConfig config) {
    return ViT.of(config.model(), SIDE, SIDE, 3, CLASSES.size());
  }

  private static Replica replica(ViT vit, JobConfig config, Objective objective) {
    return new Replica(
        ViTGraph.configuration(
            vit, objective, EncoderInput.of(objective, MixPass.VISIBLE), config.optimizer(), 3));
  }

  private static SortedMap<String, Weight> exported(TrainedModel model, ModelCard.Task task)
      throws IOException {
    return ForeignTensors.read(ModelFolder.timm(model, task).files().get("model.safetensors"))
        .tensors();
  }

  private static byte[] image() {
    byte[] pixels = new byte[3 * SIDE * SIDE];
    new SplittableRandom(5).nextBytes(pixels);
    return pixels;
  }

  /** Logits up to a constant, which probabilities do not have. */
  private static double[] centred(double[] logits) {
    double mean = IntStream.range(0, logits.length).mapToDouble(i -> logits[i]).average().orElse(0);
    return IntStream.range(0, logits.length).mapToDouble(i -> logits[i] - mean).toArray();
  }

  @Test
  void theLogitsOfATinyModelAreThoseOfAPlainForwardPass() throws IOException {
    JobConfig config = config("vit-tiny");
    ViT vit = vit(config);
    try (Replica replica = replica(vit, config, Objective.SL)) {
      ModelState state = Perturbed.state(replica.state(), 0.05, 7, 17).withoutMoments();
      TrainedModel model = new TrainedModel(new ModelCard(vit, List.of(task)), state);
      PlainViT plain =
          new PlainViT(exported(model, task), new ModelFolderTest.Timm(), 3, vit.encoder().depth());
      double[][] tokens = plain.tokens(task.normalization().apply(List.of(image())), 3, SIDE);
      double[] mean = new double[vit.encoder().dim()];
      for (int t = 1; t < tokens.length; t++) {
        for (int d = 0; d < mean.length; d++) {
          mean[d] += tokens[t][d] / (tokens.length - 1);
        }
      }

      float[] said = new Classifier(model, task, 1).probabilities(List.of(image()))[0];

      double[] theirs = centred(plain.linear(new double[][] {mean}, "head", 0, 1)[0]);
      double[] ours =
          centred(IntStream.range(0, said.length).mapToDouble(i -> Math.log(said[i])).toArray());
      assertThat(tokens).hasDimensions(1 + 14 * 14, 192);
      assertThat(ours).containsExactly(theirs, within(1e-4));
      assertThat(Math.abs(theirs[0])).as("not all alike").isGreaterThan(1e-2);
    }
  }

  @Test
  void aSmallModelTrainsAndItsEncoderIsReadAgain() throws IOException {
    assertTrainsAndIsReadAgain("vit-small");
  }

  /** 86 million parameters. */
  @Test
  @Tag("slow")
  void aBaseModelTrainsAndItsEncoderIsReadAgain() throws IOException {
    assertTrainsAndIsReadAgain("vit-base");
  }

  /** A joint step of two images in two parts. */
  private void assertTrainsAndIsReadAgain(String preset) throws IOException {
    JobConfig config = config(preset);
    ViT vit = vit(config);
    try (Replica replica = replica(vit, config, Objective.JOINT)) {
      ModelState before = replica.parameters();
      replica.plan(
          ViTFixtures.inParts(2, ViTFixtures.plan(Objective.JOINT, MixPass.VISIBLE, 0.5, 1e-3)), 1);
      var minibatch =
          Batch.training(
              vit,
              Objective.JOINT,
              task.normalization().apply(List.of(image(), image())),
              new long[] {1, 2},
              Batch.targets(vit, new int[] {0, 2}, 0),
              3,
              0);

      StepResult result = replica.fit(minibatch, ModelState.HEAD, new long[] {1, 2});

      ModelState after = replica.parameters();
      assertThat(result.loss()).isBetween(0.1, 10.0);
      assertThat(after.block(ModelState.ENCODER)).isNotEqualTo(before.block(ModelState.ENCODER));
      TrainedModel model = new TrainedModel(new ModelCard(vit, List.of(task)), after);
      assertThat(
              TimmWeights.of("F", exported(model, task))
                  .into(vit, model.card().heads(), before, InitParts.ENCODER)
                  .block(ModelState.ENCODER)
                  .parameters())
          .isEqualTo(after.block(ModelState.ENCODER).parameters());
    }
  }
}
