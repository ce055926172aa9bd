package org.mixtraining.kernels;

/**
 * A GPU that no later call of this process can use, such as after a kernel's illegal access. It is
 * as fatal as an error of the virtual machine, so that Spark ends the executor, and another process
 * can use the GPU.
 */
public final class DeviceLostError extends VirtualMachineError {

  /**
   * @param message the call that said so, and its answer
   */
  public DeviceLostError(String message) {
    super(message + "; the GPU is lost to this process");
  }
}
