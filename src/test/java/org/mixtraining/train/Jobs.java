package org.mixtraining.train;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.MixConfig.MixPass;
import org.mixtraining.data.ImageSet;
import org.mixtraining.data.Normalization;
import org.mixtraining.schedule.EncoderInput;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.schedule.LearningRate;
import org.mixtraining.schedule.Objective;
import org.mixtraining.schedule.Phase;
import org.mixtraining.vit.Replica;
import org.mixtraining.vit.ViT;
import org.mixtraining.vit.ViTGraph;

/** A small job for tests: a vit-nano, grey 8-pixel images of noise, five classes. */
final class Jobs {

  static final int CLASSES = 5;
  static final Normalization NORMALIZATION = new Normalization(List.of(0.5), List.of(0.25));

  static JobConfig config(String... overrides) {
    List<String> all =
        new ArrayList<>(
            List.of(
                "model.preset=vit-nano",
                "model.patch=4",
                "model.decoder.dim=12",
                "model.decoder.depth=1",
                "optimizer.batch-size=4",
                "run.seed=3"));
    all.addAll(List.of(overrides));
    return JobConfig.load(Optional.empty(), all);
  }

  static ViT vit() {
    return ViT.of(config().model(), 8, 8, 1, CLASSES);
  }

  static String graph(Objective objective, MixPass pass) {
    JobConfig config = config();
    return ViTGraph.configuration(
            vit(),
            objective,
            EncoderInput.of(objective, pass),
            config.optimizer(),
            config.run().seed())
        .toJson();
  }

  static Replica replica(Objective objective, MixPass pass) {
    JobConfig config = config();
    return new Replica(
        ViTGraph.configuration(
            vit(),
            objective,
            EncoderInput.of(objective, pass),
            config.optimizer(),
            config.run().seed()));
  }

  static EpochPlan plan(int epoch, Objective objective, double alpha, double rate) {
    LearningRate constant = new LearningRate(rate, rate, 0, 10);
    return new EpochPlan(
        epoch,
        10,
        Phase.MIX,
        objective,
        EncoderInput.of(objective, MixPass.VISIBLE),
        alpha,
        0.75,
        null,
        constant,
        0,
        1);
  }

  /** Images with ids 0, 1, …; image i is of class i mod 5, at quantile (i + ½) / n. */
  static ImageSet images(int n) {
    SplittableRandom random = new SplittableRandom(2);
    byte[][] pixels = new byte[n][64];
    Arrays.stream(pixels).forEach(random::nextBytes);
    return ImageSet.of(
        LongStream.range(0, n).toArray(),
        IntStream.range(0, n).map(i -> i % CLASSES).toArray(),
        IntStream.range(0, n).mapToDouble(i -> (i + 0.5) / n).toArray(),
        pixels,
        1,
        8,
        8);
  }

  private Jobs() {}
}
