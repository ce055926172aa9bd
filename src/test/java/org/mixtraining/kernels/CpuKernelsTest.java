package org.mixtraining.kernels;

import org.junit.jupiter.api.Nested;

class CpuKernelsTest {

  @Nested
  class WithVectors extends KernelsContract {
    @Override
    Kernels kernels() {
      return new CpuKernels(new VectorRowOps(), new Gemm(false));
    }
  }

  @Nested
  class InPlainJava extends KernelsContract {
    @Override
    Kernels kernels() {
      return new CpuKernels(new ScalarRowOps(0), new Gemm(false));
    }
  }
}
