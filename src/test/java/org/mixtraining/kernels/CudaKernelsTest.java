package org.mixtraining.kernels;

import org.mixtraining.gpu.CudaKernelsUnderTest;

/** The kernels of {@code src/main/cuda}, run on the CPU. */
class CudaKernelsTest extends KernelsContract {
  @Override
  Kernels kernels() {
    return new CudaKernelsUnderTest();
  }
}
