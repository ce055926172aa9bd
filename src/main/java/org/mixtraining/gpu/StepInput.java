package org.mixtraining.gpu;

import java.util.List;
import java.util.stream.IntStream;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.schedule.Seed;
import org.mixtraining.vit.Blueprint;
import org.mixtraining.vit.Examples;
import org.mixtraining.vit.StoredImages;

/** Brings a minibatch to the device; what comes as it is stored is prepared there. */
final class StepInput {

  private StepInput() {}

  static void write(
      Workbench bench, Gpu gpu, ResidentImages resident, Examples examples, EpochPlan plan) {
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
    Blueprint blueprint = bench.blueprint();
    for (int i = 0; i < blueprint.dropRates().size(); i++) {
      if (blueprint.dropRates().get(i) > 0) {
        float[][] factors = blueprint.dropFactors(i, plan.epoch(), examples.position().ids());
        gpu.write(bench.factors(i).first(examples.images()), factors[0]);
        gpu.write(bench.factors(i).from(examples.images()), factors[1]);
      }
    }
  }

  /** Crops, mirrors and normalises images, and chooses their visible patches. */
  private static void prepare(
      Workbench bench, Gpu gpu, ResidentImages resident, Examples examples) {
    StoredImages images = examples.stored();
    int[] places = images.places();
    Memory stored = resident.of(images.store()).orElse(null);
    if (stored == null) {
      byte[] pixels = pixels(images);
      stored = bench.bytes("input.stored", pixels.length);
      gpu.write(stored, pixels);
      places = IntStream.range(0, places.length).toArray();
    }
    Memory indices = bench.ints("input.places", places.length);
    Memory tables = bench.floats("input.tables", images.tables().length);
    Memory ids = bench.ints("input.ids", 2L * examples.images());
    gpu.write(indices, places);
    gpu.write(tables, images.tables());
    gpu.write(ids, ints(examples.position().ids()));
    gpu.launch(
        "prepare_images",
        examples.images(),
        Operations.THREADS,
        0,
        stored,
        indices,
        ids,
        tables,
        bench.pixels(),
        images.channels(),
        images.size(),
        images.padding(),
        images.flip() ? 1 : 0,
        Seed.AUGMENT.ordinal(),
        images.seed(),
        images.epoch());
    if (bench.blueprint().reconstructs()) {
      int warp = Operations.WARP;
      int patches = bench.vit().patches();
      gpu.launch(
          "sample_masks",
          (examples.images() + warp - 1L) / warp,
          warp,
          Short.BYTES * patches * warp,
          ids,
          bench.mask(),
          examples.images(),
          patches,
          bench.vit().visiblePatches(),
          Seed.MASK.ordinal(),
          images.seed(),
          images.epoch());
    }
  }

  /** The minibatch's images, one after another. */
  private static byte[] pixels(StoredImages images) {
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
