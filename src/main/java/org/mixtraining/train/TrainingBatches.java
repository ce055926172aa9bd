package org.mixtraining.train;

import java.util.Iterator;
import java.util.List;
import java.util.stream.LongStream;
import org.mixtraining.config.AugmentConfig;
import org.mixtraining.config.DataConfig;
import org.mixtraining.config.JobConfig;
import org.mixtraining.data.BlendedMinibatches;
import org.mixtraining.data.Minibatch;
import org.mixtraining.data.Minibatches;
import org.mixtraining.data.Share;
import org.mixtraining.data.augment.MixupCutmix;
import org.mixtraining.kernels.WorkerThreads;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.schedule.Objective;
import org.mixtraining.vit.Batch;
import org.mixtraining.vit.ViT;
import org.mixtraining.vit.state.ModelState;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/** A worker's images of one epoch, as the minibatches that its graph trains on. */
public final class TrainingBatches implements TaskBatches {

  private final JobConfig config;
  private final ViT vit;
  private final EpochPlan plan;
  private final Iterator<Minibatch> minibatches;
  private final MixupCutmix mixupCutmix;
  private final int steps;
  private int step;

  private TrainingBatches(
      JobConfig config, ViT vit, EpochPlan plan, Iterator<Minibatch> minibatches, int steps) {
    this.config = config;
    this.vit = vit.masking(plan.maskRatio());
    this.plan = plan;
    this.minibatches = minibatches;
    this.steps = steps;
    this.mixupCutmix = new MixupCutmix(config.augment(), config.run().seed(), plan.epoch());
  }

  /**
   * SL epochs see labelled images only; SSL and JOINT epochs see all. Only SL epochs mix them.
   *
   * @param threads that prepare the images
   */
  public static TrainingBatches of(
      JobConfig config, ViT vit, EpochPlan plan, Share images, WorkerThreads threads) {
    Minibatches own = minibatches(config, plan, images, threads);
    return new TrainingBatches(config, vit, plan, own, own.steps());
  }

  /**
   * The same, each image mixed with one of another dataset by {@code mix.lambda}.
   *
   * @param others images of the same shape, at least one
   */
  public static TrainingBatches blended(
      JobConfig config,
      ViT vit,
      EpochPlan plan,
      Share images,
      Share others,
      WorkerThreads threads) {
    Minibatches own = minibatches(config, plan, images, threads);
    var blended =
        new BlendedMinibatches(
            own, pass -> partners(config, plan, others, threads, pass), config.mix().lambda());
    return new TrainingBatches(config, vit, plan, blended, own.steps());
  }

  /** The epoch's images, shuffled. */
  static Minibatches minibatches(
      JobConfig config, EpochPlan plan, Share images, WorkerThreads threads) {
    DataConfig data = config.data();
    return Minibatches.training(
            images,
            augmentation(config, plan),
            config.run().seed(),
            plan.epoch(),
            config.optimizer().batchSize(),
            data.labelledFraction(),
            switch (plan.objective()) {
              case SSL -> Minibatches.Labels.NONE;
              case SL -> Minibatches.Labels.LABELLED_ONLY;
              case JOINT -> Minibatches.Labels.ALL;
            })
        .preparedBy(threads);
  }

  /** What is mixed into the epoch's images. */
  static Minibatches partners(
      JobConfig config, EpochPlan plan, Share images, WorkerThreads threads, int pass) {
    return Minibatches.partners(
            images,
            augmentation(config, plan),
            config.run().seed(),
            plan.epoch(),
            config.optimizer().batchSize(),
            pass)
        .preparedBy(threads);
  }

  /** What is done to the images of an epoch. */
  static AugmentConfig.Images augmentation(JobConfig config, EpochPlan plan) {
    AugmentConfig augment = config.augment();
    return plan.objective() == Objective.SSL ? augment.ssl() : augment.sl();
  }

  @Override
  public int steps() {
    return steps;
  }

  @Override
  public boolean hasNext() {
    return minibatches.hasNext();
  }

  @Override
  public MultiDataSet next() {
    Minibatch images = minibatches.next();
    MultiDataSet batch =
        Batch.training(
            vit,
            plan.objective(),
            images.pixels(),
            images.ids(),
            targets(images),
            config.run().seed(),
            plan.epoch());
    List<Long> ids = LongStream.of(images.ids()).boxed().toList();
    new Batch.Position(step++, steps, ModelState.HEAD, ids).mark(batch);
    return batch;
  }

  /** What the classifier is to say of images with these labels; nothing in SSL epochs. */
  static float[] targets(JobConfig config, ViT vit, EpochPlan plan, int[] labels) {
    return plan.objective() == Objective.SSL
        ? new float[0]
        : Batch.targets(vit, labels, config.optimizer().labelSmoothing());
  }

  /** The same; in SL epochs the images are mixed together with it. */
  private float[] targets(Minibatch images) {
    float[] targets = targets(config, vit, plan, images.labels());
    if (plan.objective() == Objective.SL) {
      mixupCutmix.mix(images.ids(), images.pixels(), images.height(), images.width(), targets);
    }
    return targets;
  }
}
