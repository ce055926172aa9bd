package org.mixtraining.vit.optim;

import org.mixtraining.kernels.Engine;
import org.mixtraining.kernels.Kernels;
import org.mixtraining.vit.layers.Compute;

/** A pass over flat parameters, which the threads of an engine share. */
@FunctionalInterface
public interface ParameterLoop {

  /** Takes {@code size} parameters from index {@code from}. */
  void run(Kernels kernels, int from, int size);

  /** Takes all of {@code n} parameters with the calling thread's engine. */
  static void over(int n, ParameterLoop pass) {
    Engine engine = Compute.current().engine();
    engine.eachSlice(n, (from, to) -> pass.run(engine.kernels(), from, to - from));
  }
}
