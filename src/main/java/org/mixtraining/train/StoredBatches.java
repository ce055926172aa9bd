package org.mixtraining.train;

import java.util.List;
import java.util.stream.LongStream;
import org.mixtraining.config.Augment;
import org.mixtraining.config.JobConfig;
import org.mixtraining.data.Minibatches;
import org.mixtraining.data.Normalization;
import org.mixtraining.data.StoredMinibatch;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.vit.Batch;
import org.mixtraining.vit.ModelState;
import org.mixtraining.vit.StoredImages;
import org.mixtraining.vit.ViT;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/** A worker's images of one epoch as they are stored, for a device that prepares them. */
final class StoredBatches implements TaskBatches {

  /** Patches of an image that a device can choose from. */
  static final int MOST_PATCHES = 1024;

  private final JobConfig config;
  private final ViT vit;
  private final EpochPlan plan;
  private final Minibatches minibatches;
  private final float[] tables;
  private int step;

  StoredBatches(
      JobConfig config,
      ViT vit,
      EpochPlan plan,
      Minibatches minibatches,
      Normalization normalization) {
    this.config = config;
    this.vit = vit;
    this.plan = plan;
    this.minibatches = minibatches;
    this.tables = flat(normalization.tables());
  }

  private static float[] flat(float[][] tables) {
    float[] flat = new float[tables.length * 256];
    for (int c = 0; c < tables.length; c++) {
      System.arraycopy(tables[c], 0, flat, c * 256, 256);
    }
    return flat;
  }

  @Override
  public int steps() {
    return minibatches.steps();
  }

  @Override
  public boolean hasNext() {
    return minibatches.hasNext();
  }

  @Override
  public MultiDataSet next() {
    StoredMinibatch images = minibatches.nextStored();
    Augment.Images augment = TrainingBatches.augmentation(config, plan);
    var stored =
        new StoredImages(
            images.images(),
            images.places(),
            images.images().channels(),
            images.images().height(),
            tables,
            augment.cropPadding(),
            augment.flip(),
            config.run().seed(),
            plan.epoch());
    List<Long> ids = LongStream.of(images.ids()).boxed().toList();
    var position = new Batch.Position(step++, minibatches.steps(), ModelState.HEAD, ids);
    float[] targets = Batch.targets(vit, images.labels(), config.optimizer().labelSmoothing());
    return Batch.stored(vit, plan.objective(), stored, position, targets);
  }
}
