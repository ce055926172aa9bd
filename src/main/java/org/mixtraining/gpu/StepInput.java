package org.mixtraining.gpu;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.schedule.Seed;
import org.mixtraining.vit.Blueprint;
import org.mixtraining.vit.Examples;
import org.mixtraining.vit.StoredImages;

/** Brings a minibatch to the device; what comes as it is stored is prepared there. */
final class StepInput {

  private StepInput() {}

  static void write(Workbench bench, Gpu gpu, Examples examples, EpochPlan plan) {
    if (examples.stored() != null) {
      prepare(bench, gpu, examples);
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
  private static void prepare(Workbench bench, Gpu gpu, Examples examples) {
    StoredImages images = examples.stored();
    int[] pixels = ints(images.pixels());
    Memory stored = bench.ints("input.stored", pixels.length);
    Memory tables = bench.floats("input.tables", images.tables().length);
    Memory ids = bench.ints("input.ids", 2L * examples.images());
    gpu.write(stored, pixels);
    gpu.write(tables, images.tables());
    gpu.write(ids, ints(examples.position().ids()));
    gpu.launch(
        "prepare_images",
        examples.images(),
        Operations.THREADS,
        0,
        stored,
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
      bench
          .operations()
          .each(
              "sample_masks",
              examples.images(),
              ids,
              bench.mask(),
              examples.images(),
              bench.vit().patches(),
              bench.vit().visiblePatches(),
              Seed.MASK.ordinal(),
              images.seed(),
              images.epoch());
    }
  }

  /** Four bytes each, the last one's missing ones 0. */
  private static int[] ints(byte[] bytes) {
    int[] ints = new int[(bytes.length + 3) / 4];
    byte[] padded = bytes.length % 4 == 0 ? bytes : Arrays.copyOf(bytes, 4 * ints.length);
    ByteBuffer.wrap(padded).order(ByteOrder.LITTLE_ENDIAN).asIntBuffer().get(ints);
    return ints;
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
