package org.mixtraining.train;

import org.mixtraining.kernels.Accelerator;
import org.mixtraining.kernels.Device;
import org.mixtraining.vit.Replica;

/** An accelerator that takes whole training steps, rather than the layers' single operations. */
public interface StepAccelerator extends Accelerator {

  /** An executor of a replica's steps on a device, to which the calling thread is bound. */
  StepExecutor executor(Replica replica, Device device);

  /** A predictor by a replica's graph on a device, to which the calling thread is bound. */
  Predictor predictor(Replica replica, Device device);
}
