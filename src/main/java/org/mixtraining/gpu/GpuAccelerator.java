package org.mixtraining.gpu;

import java.util.function.Function;
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
    return using(opened(device), gpu -> new GpuSteps(gpu, replica));
  }

  @Override
  default Predictor predictor(Replica replica, Device device) {
    return using(opened(device), gpu -> new GpuPredictor(gpu, replica));
  }

  /** What uses a GPU and closes it; if it cannot be made, the GPU is closed here. */
  private static <T> T using(Gpu gpu, Function<Gpu, T> maker) {
    try {
      return maker.apply(gpu);
    } catch (RuntimeException | Error e) {
      try (gpu) {
        throw e;
      }
    }
  }

  private Gpu opened(Device device) {
    if (device instanceof Device.Gpu gpu) {
      return open(gpu);
    }
    throw new IllegalArgumentException("no GPU: " + device);
  }
}
