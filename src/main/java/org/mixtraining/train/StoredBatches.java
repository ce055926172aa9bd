package org.mixtraining.train;

import java.util.Collections;
import java.util.List;
import java.util.stream.LongStream;
import org.mixtraining.config.JobConfig;
import org.mixtraining.data.Minibatches;
import org.mixtraining.data.Normalization;
import org.mixtraining.data.Share;
import org.mixtraining.data.StoredMinibatch;
import org.mixtraining.data.StoredPasses;
import org.mixtraining.data.augment.BatchMix;
import org.mixtraining.data.augment.MixupCutmix;
import org.mixtraining.kernels.WorkerThreads;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.schedule.Objective;
import org.mixtraining.vit.Batch;
import org.mixtraining.vit.StoredImages;
import org.mixtraining.vit.ViT;
import org.mixtraining.vit.state.ModelState;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/**
 * A worker's images of one epoch as they are stored, for a device that prepares them: the same
 * minibatches as those of {@link TrainingBatches}, to the bit.
 */
public final class StoredBatches implements TaskBatches {

  private final JobConfig config;
  private final ViT vit;
  private final EpochPlan plan;
  private final Minibatches own;
  private final float[] tables;
  private final StoredPasses others; // null: images are not mixed with those of another dataset
  private final float[] othersTables;
  private final MixupCutmix mixupCutmix;
  private int step;

  private StoredBatches(
      JobConfig config,
      ViT vit,
      EpochPlan plan,
      Share images,
      Share others,
      WorkerThreads threads) {
    this.config = config;
    this.vit = vit;
    this.plan = plan;
    this.own = TrainingBatches.minibatches(config, plan, images, threads);
    this.tables = flat(images.normalization());
    this.others =
        others == null
            ? null
            : new StoredPasses(
                pass -> TrainingBatches.partners(config, plan, others, threads, pass));
    this.othersTables = others == null ? null : flat(others.normalization());
    this.mixupCutmix = new MixupCutmix(config.augment(), config.run().seed(), plan.epoch());
  }

  /** Those of {@link TrainingBatches#of}. */
  public static StoredBatches of(
      JobConfig config, ViT vit, EpochPlan plan, Share images, WorkerThreads threads) {
    return new StoredBatches(config, vit, plan, images, null, threads);
  }

  /** Those of {@link TrainingBatches#blended}. */
  public static StoredBatches blended(
      JobConfig config,
      ViT vit,
      EpochPlan plan,
      Share images,
      Share others,
      WorkerThreads threads) {
    return new StoredBatches(config, vit, plan, images, others, threads);
  }

  private static float[] flat(Normalization normalization) {
    float[][] tables = normalization.tables();
    float[] flat = new float[tables.length * 256];
    for (int c = 0; c < tables.length; c++) {
      System.arraycopy(tables[c], 0, flat, c * 256, 256);
    }
    return flat;
  }

  @Override
  public int steps() {
    return own.steps();
  }

  @Override
  public boolean hasNext() {
    return own.hasNext();
  }

  @Override
  public MultiDataSet next() {
    StoredMinibatch images = own.nextStored();
    float[] targets = TrainingBatches.targets(config, vit, plan, images.labels());
    List<BatchMix> mixes = List.of();
    StoredImages.Picked partners = null;
    if (others != null) {
      mixes = Collections.nCopies(images.size(), BatchMix.blend((float) config.mix().lambda()));
      partners = picked(others.next(images.size()), othersTables);
    } else if (plan.objective() == Objective.SL) {
      mixes = mixupCutmix.draw(images.ids(), images.images().height(), images.images().width());
      MixupCutmix.mixTargets(mixes, targets);
    }
    var stored =
        new StoredImages(
            picked(images, tables), partners, numbers(mixes), config.run().seed(), plan.epoch());
    List<Long> ids = LongStream.of(images.ids()).boxed().toList();
    var position = new Batch.Position(step++, own.steps(), ModelState.HEAD, ids);
    return Batch.stored(vit, plan.objective(), stored, position, targets);
  }

  private static StoredImages.Picked picked(StoredMinibatch images, float[] tables) {
    return new StoredImages.Picked(
        images.images(),
        images.places(),
        images.images().channels(),
        images.images().height(),
        images.edits(),
        tables);
  }

  private static float[] numbers(List<BatchMix> mixes) {
    float[] numbers = new float[mixes.size() * BatchMix.VALUES];
    for (int n = 0; n < mixes.size(); n++) {
      mixes.get(n).write(numbers, n * BatchMix.VALUES);
    }
    return numbers;
  }
}
