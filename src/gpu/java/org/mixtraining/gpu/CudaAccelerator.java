package org.mixtraining.gpu;

import org.mixtraining.kernels.Device;
import org.mixtraining.kernels.Engine;

/**
 * NVIDIA GPUs from Ampere on, by own kernels and cuBLASLt; the Maven profile {@code gpu} adds it to
 * the job. What is neither a training step nor the scoring of a run's model computes on the CPU.
 */
public final class CudaAccelerator implements GpuAccelerator {

  @Override
  public String name() {
    return "nvidia";
  }

  @Override
  public void bind(String address) {
    CudaDevice.at(Integer.parseInt(address)).bind();
  }

  @Override
  public Engine engine() {
    return Engine.cpu(1);
  }

  @Override
  public Gpu open(Device.Gpu device) {
    return CudaGpu.open(CudaDevice.at(Integer.parseInt(device.address())), device.precision());
  }
}
