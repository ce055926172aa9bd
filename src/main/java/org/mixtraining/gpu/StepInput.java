package org.mixtraining.gpu;

import java.util.stream.IntStream;
import org.mixtraining.data.augment.ImageOp;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.schedule.Objective;
import org.mixtraining.schedule.Seed;
import org.mixtraining.train.TrainingBatch;
import org.mixtraining.train.TrainingBatch.Prepared;
import org.mixtraining.train.TrainingBatch.Raw;
import org.mixtraining.vit.GraphSpec;

/** Brings a minibatch to the device; raw images are prepared there. */
final class StepInput {

  private StepInput() {}

  static void write(
      StepContext bench, Gpu gpu, ResidentImages resident, TrainingBatch batch, EpochPlan plan) {
    if (batch instanceof Raw raw) {
      prepare(bench, gpu, resident, raw, plan.epoch());
    } else if (batch instanceof Prepared prepared) {
      gpu.write(bench.pixels(), prepared.pixels());
      if (bench.spec().masks()) {
        gpu.write(bench.mask(), prepared.mask());
      }
    }
    GraphSpec spec = bench.spec();
    if (spec.objective() != Objective.SSL) {
      gpu.write(bench.targets(), batch.targets());
    }
    for (int i = 0; i < bench.vit().encoder().depth(); i++) {
      if (spec.dropRate(i) > 0) {
        float[][] factors = spec.dropFactors(i, plan.epoch(), batch.ids());
        gpu.write(bench.factors(i).first(batch.images()), factors[0]);
        gpu.write(bench.factors(i).from(batch.images()), factors[1]);
      }
    }
  }

  /** Edits, mixes and normalises images, and chooses their visible patches. */
  private static void prepare(
      StepContext bench, Gpu gpu, ResidentImages resident, Raw batch, int epoch) {
    Raw.Picked own = batch.own();
    Raw.Picked others = batch.others().orElse(own);
    Memory edited = edited(bench, gpu, resident, own, "input.own.");
    Memory partners =
        batch.others().isEmpty() ? edited : edited(bench, gpu, resident, others, "input.others.");
    Memory mixes = Memory.NONE;
    if (batch.mixes().length > 0) {
      mixes = bench.floats("input.mixes", batch.mixes().length);
      gpu.write(mixes, batch.mixes());
    }
    bench
        .operations()
        .each(
            "normalise_images",
            bench.pixels().count(),
            edited,
            resident.of(own).tables(),
            partners,
            resident.of(others).tables(),
            batch.others().isEmpty() ? 1 : 0,
            mixes,
            bench.pixels(),
            batch.images(),
            own.set().channels(),
            bench.vit().architecture().channels(),
            batch.imageSize());
    if (bench.spec().masks()) {
      Memory ids = bench.ints("input.ids", 2L * batch.images());
      gpu.write(ids, ints(batch.ids()));
      int patches = bench.vit().patches();
      gpu.launch(
          "sample_masks",
          Operations.rowBlocks(batch.images()),
          Operations.ROW_THREADS,
          Operations.ROW_THREADS / Operations.WARP * patches * Integer.BYTES,
          ids,
          bench.mask(),
          batch.images(),
          patches,
          bench.vit().visiblePatches(),
          Seed.MASK.ordinal(),
          batch.seed(),
          epoch);
    }
  }

  /** The images after their operations, uint8 [images, channels, size, size]. */
  private static Memory edited(
      StepContext bench, Gpu gpu, ResidentImages resident, Raw.Picked images, String name) {
    int count = images.indices().length;
    long bytes = (long) count * images.set().imageBytes();
    int[] indices = images.indices();
    Memory stored = resident.of(images).images().orElse(null);
    if (stored == null) {
      stored = bench.bytes(name + "stored", bytes);
      gpu.write(stored, pixels(images));
      indices = IntStream.range(0, count).toArray();
    }
    Memory picked = bench.ints(name + "indices", count);
    gpu.write(picked, indices);
    Memory ops = Memory.NONE;
    if (images.ops().length > 0) {
      ops = bench.doubles(name + "ops", images.ops().length);
      gpu.write(ops, images.ops());
    }
    Memory edited = bench.bytes(name + "edited", bytes);
    gpu.launch(
        "edit_images",
        count,
        Operations.THREADS,
        images.set().channels() * 256 * Integer.BYTES,
        stored,
        picked,
        ops,
        images.ops().length / count / ImageOp.VALUES,
        edited,
        bench.bytes(name + "spare", bytes),
        images.set().channels(),
        images.set().height());
    return edited;
  }

  /** The images, one after another. */
  private static byte[] pixels(Raw.Picked images) {
    if (images.pixels().length > 0) {
      return images.pixels();
    }
    byte[] image = new byte[images.set().imageBytes()];
    byte[] all = new byte[images.indices().length * image.length];
    for (int i = 0; i < images.indices().length; i++) {
      images.set().read(images.indices()[i], image);
      System.arraycopy(image, 0, all, i * image.length, image.length);
    }
    return all;
  }

  /** Each as its lower and its upper half. */
  private static int[] ints(long[] longs) {
    int[] ints = new int[2 * longs.length];
    for (int i = 0; i < longs.length; i++) {
      ints[2 * i] = (int) longs[i];
      ints[2 * i + 1] = (int) (longs[i] >>> 32);
    }
    return ints;
  }
}
