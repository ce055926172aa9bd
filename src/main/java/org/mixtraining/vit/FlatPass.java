package org.mixtraining.vit;

import org.mixtraining.kernels.Engine;
import org.mixtraining.kernels.Kernels;

/** A pass over flat parameters, which the threads of an engine share. */
@FunctionalInterface
interface FlatPass {

  /** Parameters that one task takes. */
  int SLICE = 1 << 17;

  /** Takes {@code size} parameters from index {@code from}. */
  void run(Kernels kernels, int from, int size);

  /** Takes all of {@code n} parameters with the calling thread's engine. */
  static void over(int n, FlatPass pass) {
    Engine engine = Compute.current().engine();
    int slice = engine.kernels().takesWholeBatches() ? n : SLICE;
    engine.parallel(
        (n + slice - 1) / slice,
        (thread, i) -> {
          int from = i * slice;
          pass.run(engine.kernels(), from, Math.min(slice, n - from));
        });
  }
}
