package org.mixtraining.train;

import java.util.Iterator;
import java.util.List;
import org.mixtraining.config.JobConfig;
import org.mixtraining.data.ImageSet;
import org.mixtraining.data.Minibatch;
import org.mixtraining.data.Minibatches;
import org.mixtraining.data.Normalization;
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
  private int step;

  /** SL epochs see labelled images only; SSL and JOINT epochs see all. */
  public TrainingBatches(
      JobConfig config, ViT vit, EpochPlan plan, ImageSet images, Normalization normalization) {
    this.config = config;
    this.vit = vit;
    this.plan = plan;
    JobConfig.Data data = config.data();
    this.minibatches =
        Minibatches.training(
            images,
            normalization,
            config.augment(),
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
            images.labels(),
            config.optimizer().labelSmoothing(),
            config.run().seed(),
            plan.epoch());
    batch.setExampleMetaData(List.of(new Batch.Position(step++, minibatches.steps())));
    return batch;
  }
}
