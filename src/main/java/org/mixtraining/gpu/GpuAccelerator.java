package org.mixtraining.gpu;

import org.mixtraining.kernels.Device;
import org.mixtraining.train.Predictor;
import org.mixtraining.train.StepAccelerator;
import org.mixtraining.train.StepExecutor;
import org.mixtraining.vit.Replica;

/** An accelerator whose GPUs run {@link StepProgram}s. */
public interface GpuAccelerator extends StepAccelerator {

  /** A device that the calling thread is bound to. */
  Gpu open(Device.Gpu device);

  @Override
  default StepExecutor executor(Replica replica, Device device) {
    return new GpuSteps(opened(device), replica);
  }

  @Override
  default Predictor predictor(Replica replica, Device device) {
    return new GpuPredictor(opened(device), replica);
  }

  private Gpu opened(Device device) {
    if (device instanceof Device.Gpu gpu) {
      return open(gpu);
    }
    throw new IllegalArgumentException("no GPU: " + device);
  }
}
