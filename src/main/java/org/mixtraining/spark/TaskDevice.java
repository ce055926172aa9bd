package org.mixtraining.spark;

import java.util.Optional;
import org.apache.spark.TaskContext;
import org.apache.spark.resource.ResourceInformation;
import org.mixtraining.config.WorkersConfig.Precision;
import org.mixtraining.kernels.Accelerator;
import org.mixtraining.kernels.Device;
import org.mixtraining.train.StepAccelerator;

/** The device of a task that predicts: the GPU that Spark has assigned to it, else the CPU. */
public final class TaskDevice {

  private TaskDevice() {}

  /**
   * In float32, so that answers do not depend on it. A GPU is one for a build that takes whole
   * training steps there; with others it would gain nothing.
   */
  public static Device forPrediction() {
    boolean able = Accelerator.installed().filter(StepAccelerator.class::isInstance).isPresent();
    return Optional.ofNullable(TaskContext.get()) // null where the driver asks
        .map(task -> task.resourcesJMap().get(WorkerDevices.GPU))
        .map(ResourceInformation::addresses)
        .filter(addresses -> able && addresses.length > 0)
        .map(addresses -> Device.gpu(addresses[0], Precision.FP32))
        .orElseGet(() -> Device.any(1, Precision.FP32));
  }
}
