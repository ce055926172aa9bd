package org.mixtraining.kernels;

import org.junit.jupiter.api.AfterEach;
import org.mixtraining.gpu.CudaKernelsUnderTest;

/** The kernels of {@code src/main/cuda}, run on the CPU. */
class CudaKernelsTest extends KernelsContract {
  private CudaKernelsUnderTest opened;

  @Override
  Kernels kernels() {
    opened = new CudaKernelsUnderTest();
    return opened;
  }

  @AfterEach
  void closeTheGpu() {
    opened.close();
  }
}
