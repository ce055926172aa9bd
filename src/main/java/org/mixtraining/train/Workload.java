package org.mixtraining.train;

import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.mixtraining.config.JobConfig;
import org.mixtraining.data.ImageSet;
import org.mixtraining.data.Normalization;
import org.mixtraining.data.Share;
import org.mixtraining.kernels.WorkerThreads;
import org.mixtraining.schedule.EncoderInput;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.schedule.LearningRate;
import org.mixtraining.schedule.Objective;
import org.mixtraining.schedule.Phase;
import org.mixtraining.vit.Replica;
import org.mixtraining.vit.ViT;
import org.mixtraining.vit.ViTGraph;
import org.mixtraining.vit.state.ModelState;

/** The workload of benchmarks: an epoch on random 32x32 colour images of ten classes. */
public record Workload(JobConfig config, ViT vit, EpochPlan plan) {

  private static final int SIZE = 32;
  private static final int CHANNELS = 3;
  private static final int CLASSES = 10;

  /** With the model, the optimizer and the augmentation of a configuration. */
  public static Workload of(JobConfig config, Objective objective) {
    ViT vit = ViT.of(config.model(), SIZE, SIZE, CHANNELS, CLASSES);
    double alpha =
        switch (objective) {
          case SSL -> 1;
          case SL -> 0;
          case JOINT -> 0.5;
        };
    LearningRate rate = new LearningRate(config.optimizer().peak(), 0, 0, 1);
    EpochPlan plan =
        new EpochPlan(
            0,
            1,
            Phase.MIX,
            objective,
            EncoderInput.of(objective, config.mix().pass()),
            alpha,
            config.model().maskRatio(),
            null,
            rate,
            config.optimizer().clip(),
            config.optimizer().accumulate());
    return new Workload(config, vit, plan);
  }

  /** Images of a step. */
  public int batchSize() {
    return config.optimizer().batchSize();
  }

  /** Floating-point operations of a step, by formula. */
  public double stepFlops() {
    return vit.trainingFlops(plan.objective(), plan.input()) * batchSize();
  }

  /** The graph of its steps. */
  public ComputationGraphConfiguration graph() {
    return ViTGraph.configuration(vit, plan.objective(), plan.input(), config.optimizer(), 0);
  }

  /** A new model. */
  public Replica replica() {
    return new Replica(graph());
  }

  /** Its state. */
  public ModelState initialModel() {
    try (Replica replica = replica()) {
      return replica.state();
    }
  }

  /** Minibatches of so many steps, prepared by these threads. */
  public TaskBatches batches(int steps, WorkerThreads threads) {
    return WorkerBatches.of(config, vit, plan, images(steps), threads).prepared(0);
  }

  /** The same for a device, which prepares the images; the caller makes the rest. */
  public TaskBatches onDevice(int steps) {
    return WorkerBatches.of(config, vit, plan, images(steps), new WorkerThreads(1)).raw(0);
  }

  private Share images(int steps) {
    int images = steps * batchSize();
    Random random = new Random(1);
    byte[][] pixels = new byte[images][CHANNELS * SIZE * SIZE];
    for (byte[] image : pixels) {
      random.nextBytes(image);
    }
    ImageSet set =
        ImageSet.of(
            LongStream.range(0, images).toArray(),
            IntStream.range(0, images).map(i -> i % CLASSES).toArray(),
            new double[images],
            pixels,
            CHANNELS,
            SIZE,
            SIZE);
    Normalization half = new Normalization(List.of(0.5, 0.5, 0.5), List.of(0.25, 0.25, 0.25));
    return Share.all(set, half);
  }
}
