package org.mixtraining.gpu;

import static org.assertj.core.api.Assertions.assertThat;

import org.mixtraining.config.WorkersConfig.Precision;
import org.mixtraining.kernels.Accelerator;
import org.mixtraining.kernels.Device;

/**
 * What the tests compute on: the CPU, or with {@code -Dmixtraining.gpu=0}, in the build of {@code
 * -Pgpu}, that GPU; with {@code -Dmixtraining.gpu=double}, the double of its driver.
 */
final class TestGpu {

  private TestGpu() {}

  static Gpu open(Memory.Type matrixType) {
    String address = System.getProperty("mixtraining.gpu", "");
    if (address.isEmpty()) {
      return new HostGpu(matrixType);
    }
    if (address.equals("double")) {
      assertThat(DriverDouble.load().complaints()).isEmpty();
      address = "0";
    }
    var accelerator = (GpuAccelerator) Accelerator.installed().orElseThrow();
    Precision precision = matrixType == Memory.Type.BF16 ? Precision.BF16 : Precision.FP32;
    var device = new Device.Gpu(accelerator.name(), address, precision);
    accelerator.bind(address);
    return accelerator.open(device);
  }
}
