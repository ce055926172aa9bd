package org.mixtraining.train;

import java.util.Iterator;
import java.util.List;
import org.mixtraining.config.Augment;
import org.mixtraining.config.JobConfig;
import org.mixtraining.data.ImageSet;
import org.mixtraining.data.Minibatch;
import org.mixtraining.data.Minibatches;
import org.mixtraining.data.Normalization;
import org.mixtraining.data.augment.MixupCutmix;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.schedule.Objective;
import org.mixtraining.vit.Batch;
import org.mixtraining.vit.ViT;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/** A worker's images of one epoch, as the minibatches that its graph trains on. */
public final class TrainingBatches implements Iterator<MultiDataSet> {

  private final JobConfig config;
  private final ViT vit;
  private final EpochPlan plan;
  private final Minibatches minibatches;
  private final MixupCutmix mixupCutmix;
  private int step;

  /** SL epochs see labelled images only; SSL and JOINT epochs see all. Only SL epochs mix them. */
  public TrainingBatches(
      JobConfig config, ViT vit, EpochPlan plan, ImageSet images, Normalization normalization) {
    this.config = config;
    this.vit = vit;
    this.plan = plan;
    JobConfig.Data data = config.data();
    Augment augment = config.augment();
    this.mixupCutmix = new MixupCutmix(augment, config.run().seed(), plan.epoch());
    this.minibatches =
        Minibatches.training(
            images,
            normalization,
            plan.objective() == Objective.SSL ? augment.ssl() : augment.sl(),
            config.run().seed(),
            plan.epoch(),
            config.optimizer().batchSize(),
            data.labelFraction() * data.fraction(),
            plan.objective() == Objective.SL
                ? Minibatches.Labels.LABELLED_ONLY
                : Minibatches.Labels.ALL);
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
    batch.setExampleMetaData(List.of(new Batch.Position(step++, minibatches.steps())));
    return batch;
  }

  /** What the classifier is to say; in SL epochs the images are mixed together with it. */
  private float[] targets(Minibatch images) {
    if (plan.objective() == Objective.SSL) {
      return new float[0];
    }
    float[] targets = Batch.targets(vit, images.labels(), config.optimizer().labelSmoothing());
    if (plan.objective() == Objective.SL) {
      mixupCutmix.mix(images.ids(), images.pixels(), images.height(), images.width(), targets);
    }
    return targets;
  }
}
