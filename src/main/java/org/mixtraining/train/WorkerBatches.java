package org.mixtraining.train;

import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.mixtraining.config.AugmentConfig;
import org.mixtraining.config.JobConfig;
import org.mixtraining.data.BlendedMinibatches;
import org.mixtraining.data.Minibatch;
import org.mixtraining.data.Minibatches;
import org.mixtraining.data.Normalization;
import org.mixtraining.data.Share;
import org.mixtraining.data.StoredMinibatch;
import org.mixtraining.data.StoredPasses;
import org.mixtraining.data.augment.BatchMix;
import org.mixtraining.data.augment.MixupCutmix;
import org.mixtraining.kernels.WorkerThreads;
import org.mixtraining.schedule.EncoderInput;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.schedule.Objective;
import org.mixtraining.train.TrainingBatch.Position;
import org.mixtraining.train.TrainingBatch.Prepared;
import org.mixtraining.train.TrainingBatch.Raw;
import org.mixtraining.vit.Batch;
import org.mixtraining.vit.ViT;
import org.mixtraining.vit.state.ModelState;

/**
 * A worker's epoch on one task, as minibatches whose images are prepared on the CPU or left raw to
 * the device: both come to the same bits. SL epochs see labelled images only, and mix them with
 * each other; SSL and JOINT epochs see all. Where an epoch's plan treats images without a label
 * apart, those have minibatches of their own.
 *
 * @param head name of the task's head
 * @param images that the epoch visits
 * @param others images of the same shape, at least one, if each image is mixed with one of another
 *     dataset by {@code mix.lambda}
 * @param steps minibatches of the epoch, as many as other workers have of their shares
 * @param threads that prepare images
 */
public record WorkerBatches(
    JobConfig config,
    ViT vit,
    EpochPlan plan,
    String head,
    Share images,
    Optional<Share> others,
    int steps,
    WorkerThreads threads) {

  /** The images of a single worker, of the only task, that are mixed with no other dataset. */
  public static WorkerBatches of(
      JobConfig config, ViT vit, EpochPlan plan, Share images, WorkerThreads threads) {
    int steps =
        new WorkerBatches(config, vit, plan, ModelState.HEAD, images, Optional.empty(), 1, threads)
            .shuffled()
            .steps();
    return new WorkerBatches(
        config, vit, plan, ModelState.HEAD, images, Optional.empty(), steps, threads);
  }

  /**
   * Minibatches of {@link Prepared} images.
   *
   * @param from the first one's number
   */
  public TaskBatches prepared(int from) {
    Minibatches own = minibatches(from);
    Iterator<Minibatch> blended =
        others.isEmpty()
            ? own
            : new BlendedMinibatches(
                own, passes(others.get(), own.imagesBefore(from))::apply, config.mix().lambda());
    return new TaskBatches(own, from, position -> prepared(position, blended.next()));
  }

  private Prepared prepared(Position position, Minibatch batch) {
    double maskRatio = maskRatio(batch.labels());
    ViT masked = vit.masking(maskRatio);
    float[] targets = targets(batch.labels());
    if (mixesItsOwn()) {
      mixupCutmix().mix(batch.ids(), batch.pixels(), batch.height(), batch.width(), targets);
    }
    float[] mask =
        plan.input() == EncoderInput.FULL
            ? new float[0]
            : Batch.masks(masked, batch.ids(), config.run().seed(), plan.epoch());
    float[] pixels = Batch.colours(masked, batch.pixels(), batch.size());
    return new Prepared(
        position,
        head,
        batch.ids(),
        targets,
        batch.height(),
        maskRatio,
        pixels,
        mask,
        plan.objective() != Objective.SL);
  }

  /**
   * Minibatches of {@link Raw} images.
   *
   * @param from the first one's number
   */
  public TaskBatches raw(int from) {
    Minibatches own = minibatches(from);
    float[] tables = flat(images.normalization());
    Optional<IntFunction<Raw.Picked>> partners =
        others.map(share -> partners(share, own.imagesBefore(from)));
    return new TaskBatches(
        own,
        from,
        position -> {
          StoredMinibatch batch = own.nextStored();
          return raw(
              position,
              batch,
              picked(batch, tables),
              partners.map(next -> next.apply(batch.size())));
        });
  }

  private Raw raw(
      Position position, StoredMinibatch batch, Raw.Picked own, Optional<Raw.Picked> partners) {
    float[] targets = targets(batch.labels());
    List<BatchMix> mixes = List.of();
    if (partners.isPresent()) {
      mixes = Collections.nCopies(batch.size(), BatchMix.blend((float) config.mix().lambda()));
    } else if (mixesItsOwn()) {
      mixes = mixupCutmix().draw(batch.ids(), batch.images().height(), batch.images().width());
      MixupCutmix.mixTargets(mixes, targets);
    }
    return new Raw(
        position,
        head,
        batch.ids(),
        targets,
        maskRatio(batch.labels()),
        own,
        partners,
        numbers(mixes),
        config.run().seed());
  }

  /** The next so many images of another dataset, pass after pass. */
  private IntFunction<Raw.Picked> partners(Share share, long before) {
    StoredPasses passes = new StoredPasses(passes(share, before));
    float[] tables = flat(share.normalization());
    return count -> picked(passes.next(count), tables);
  }

  /** Passes over another dataset, of which so many images were partners before. */
  private IntFunction<Minibatches> passes(Share share, long before) {
    int images = share.indices().length;
    int begun = (int) (before / images);
    return pass -> {
      Minibatches partners = partners(share, begun + pass);
      if (pass == 0) {
        partners.skipImages((int) (before % images));
      }
      return partners;
    };
  }

  /** The epoch's minibatches, from one of them on. */
  private Minibatches minibatches(int from) {
    Minibatches minibatches = shuffled().inSteps(steps).preparedBy(threads);
    minibatches.skipTo(from);
    return minibatches;
  }

  /** The epoch's images, as one worker would take them alone. */
  private Minibatches shuffled() {
    return Minibatches.training(
        images,
        augmentation(),
        config.run().seed(),
        plan.epoch(),
        config.optimizer().batchSize(),
        config.data().labelledFraction(),
        switch (plan.objective()) {
          case SSL -> Minibatches.Labels.NONE;
          case SL -> Minibatches.Labels.LABELLED_ONLY;
          case JOINT -> plan.unlabelledApart() ? Minibatches.Labels.APART : Minibatches.Labels.ALL;
        });
  }

  /** A pass over the images that are mixed into the epoch's. */
  private Minibatches partners(Share share, int pass) {
    return Minibatches.partners(
            share,
            augmentation(),
            config.run().seed(),
            plan.epoch(),
            config.optimizer().batchSize(),
            pass)
        .preparedBy(threads);
  }

  private AugmentConfig.Images augmentation() {
    AugmentConfig augment = config.augment();
    return plan.objective() == Objective.SSL ? augment.ssl() : augment.sl();
  }

  private boolean mixesItsOwn() {
    return plan.objective() == Objective.SL && others.isEmpty();
  }

  private MixupCutmix mixupCutmix() {
    return new MixupCutmix(config.augment(), config.run().seed(), plan.epoch());
  }

  private double maskRatio(int[] labels) {
    return plan.maskRatio(IntStream.of(labels).anyMatch(label -> label != Minibatch.UNLABELLED));
  }

  /** The target distributions of images with these labels; empty in SSL epochs. */
  private float[] targets(int[] labels) {
    return plan.objective() == Objective.SSL
        ? new float[0]
        : Batch.targets(vit, labels, config.optimizer().labelSmoothing());
  }

  private static Raw.Picked picked(StoredMinibatch batch, float[] tables) {
    return new Raw.Picked(batch.images(), batch.indices(), batch.ops(), tables, batch.pixels());
  }

  private static float[] flat(Normalization normalization) {
    float[][] tables = normalization.tables();
    float[] flat = new float[tables.length * 256];
    for (int c = 0; c < tables.length; c++) {
      System.arraycopy(tables[c], 0, flat, c * 256, 256);
    }
    return flat;
  }

  private static float[] numbers(List<BatchMix> mixes) {
    float[] numbers = new float[mixes.size() * BatchMix.VALUES];
    for (int n = 0; n < mixes.size(); n++) {
      mixes.get(n).write(numbers, n * BatchMix.VALUES);
    }
    return numbers;
  }
}
