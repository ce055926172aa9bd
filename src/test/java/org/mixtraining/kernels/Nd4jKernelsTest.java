package org.mixtraining.kernels;

class Nd4jKernelsTest extends KernelsContract {
  @Override
  Kernels kernels() {
    return new Nd4jKernels();
  }
}
