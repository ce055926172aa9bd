package org.mixtraining.gpu;

import java.util.List;
import java.util.stream.IntStream;
import org.mixtraining.data.augment.ImageOp;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.schedule.Seed;
import org.mixtraining.vit.Examples;
import org.mixtraining.vit.GraphSpec;
import org.mixtraining.vit.StoredImages;

/** Brings a minibatch to the device; what comes as it is stored is prepared there. */
final class StepInput {

  private StepInput() {}

  static void write(
      StepContext bench, Gpu gpu, ResidentImages resident, Examples examples, EpochPlan plan) {
    if (examples.stored() != null) {
      prepare(bench, gpu, resident, examples);
    } else {
      gpu.write(bench.pixels(), examples.pixels());
      if (examples.mask() != null) {
        gpu.write(bench.mask(), examples.mask());
      }
    }
    if (examples.targets() != null) {
      gpu.write(bench.targets(), examples.targets());
    }
    GraphSpec spec = bench.spec();
    for (int i = 0; i < bench.vit().depth(); i++) {
      if (spec.dropRate(i) > 0) {
        float[][] factors = spec.dropFactors(i, plan.epoch(), examples.position().ids());
        gpu.write(bench.factors(i).first(examples.images()), factors[0]);
        gpu.write(bench.factors(i).from(examples.images()), factors[1]);
      }
    }
  }

  /** Edits, mixes and normalises images, and chooses their visible patches. */
  private static void prepare(
      StepContext bench, Gpu gpu, ResidentImages resident, Examples examples) {
    StoredImages images = examples.stored();
    StoredImages.Picked own = images.own();
    StoredImages.Picked others = images.others() == null ? own : images.others();
    Memory edited = edited(bench, gpu, resident, own, "input.own.");
    Memory partners =
        images.others() == null ? edited : edited(bench, gpu, resident, others, "input.others.");
    Memory mixes = Memory.NONE;
    if (images.mixes().length > 0) {
      mixes = bench.floats("input.mixes", images.mixes().length);
      gpu.write(mixes, images.mixes());
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
            images.others() == null ? 1 : 0,
            mixes,
            bench.pixels(),
            examples.images(),
            own.channels(),
            bench.vit().channels(),
            own.size());
    if (bench.spec().reconstructs()) {
      Memory ids = bench.ints("input.ids", 2L * examples.images());
      gpu.write(ids, ints(examples.position().ids()));
      int patches = bench.vit().patches();
      bench
          .operations()
          .each(
              "sample_masks",
              examples.images(),
              ids,
              bench.mask(),
              bench.ints("input.order", (long) patches * examples.images()),
              examples.images(),
              patches,
              bench.vit().visiblePatches(),
              Seed.MASK.ordinal(),
              images.seed(),
              images.epoch());
    }
  }

  /** The images after their edits, uint8 [images, channels, size, size]. */
  private static Memory edited(
      StepContext bench,
      Gpu gpu,
      ResidentImages resident,
      StoredImages.Picked images,
      String name) {
    int count = images.places().length;
    long bytes = (long) count * images.store().imageBytes();
    int[] places = images.places();
    Memory stored = resident.of(images).images().orElse(null);
    if (stored == null) {
      stored = bench.bytes(name + "stored", bytes);
      gpu.write(stored, pixels(images));
      places = IntStream.range(0, count).toArray();
    }
    Memory indices = bench.ints(name + "places", count);
    gpu.write(indices, places);
    Memory edits = Memory.NONE;
    if (images.edits().length > 0) {
      edits = bench.doubles(name + "edits", images.edits().length);
      gpu.write(edits, images.edits());
    }
    Memory edited = bench.bytes(name + "edited", bytes);
    gpu.launch(
        "edit_images",
        count,
        Operations.THREADS,
        images.channels() * 256 * Integer.BYTES,
        stored,
        indices,
        edits,
        images.edits().length / count / ImageOp.VALUES,
        edited,
        bench.bytes(name + "spare", bytes),
        images.channels(),
        images.size());
    return edited;
  }

  /** The images, one after another. */
  private static byte[] pixels(StoredImages.Picked images) {
    byte[] image = new byte[images.store().imageBytes()];
    byte[] all = new byte[images.places().length * image.length];
    for (int i = 0; i < images.places().length; i++) {
      images.store().read(images.places()[i], image);
      System.arraycopy(image, 0, all, i * image.length, image.length);
    }
    return all;
  }

  /** Each as its lower and its upper half. */
  private static int[] ints(List<Long> longs) {
    int[] ints = new int[2 * longs.size()];
    for (int i = 0; i < longs.size(); i++) {
      ints[2 * i] = (int) (long) longs.get(i);
      ints[2 * i + 1] = (int) (longs.get(i) >>> 32);
    }
    return ints;
  }
}
