package org.mixtraining.gpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.mixtraining.config.JobConfig;
import org.mixtraining.schedule.Objective;
import org.mixtraining.train.Workload;

class GpuBenchmarkTest {

  @Test
  void everyKernelOfAStepIsTimed() {
    JobConfig config =
        JobConfig.load(
            Optional.empty(),
            List.of(
                "model.preset=vit-nano",
                "model.patch=16",
                "model.decoder.dim=12",
                "model.decoder.depth=1",
                "optimizer.batch-size=2"));
    Workload work = Workload.of(config, Objective.JOINT);

    GpuBenchmark.Result result =
        GpuBenchmark.run(
            work, () -> new HostGpu(Memory.Type.BF16), 1, new GpuBenchmark.Probe(8, 100, 1));

    assertThat(result.kernelSeconds())
        .containsKeys("attention_backward", "pixel_loss", "cross_entropy", "adamw")
        .containsKeys("head 2x10x48 nn float + bias", "head by weight 48x10x2 tn float")
        .allSatisfy((kernel, seconds) -> assertThat(seconds).isPositive());
    assertThat(result.imagesPerSecond()).isPositive();
    assertThat(result.launches()).isGreaterThan(100);
    assertThat(GpuBenchmark.describe(result))
        .startsWith("JOINT, batch 2: ")
        .contains("large matrix products reach", "GB/s", "adamw");
  }

  /** Products of zeros take a device less power, and so less time. */
  @Test
  void aDevicesPeakIsThatOfProductsOfNumbersThatDiffer() {
    List<Memory> factors = new ArrayList<>();
    HostGpu gpu = new HostGpu(Memory.Type.FLOAT);
    Gpu watched =
        (Gpu)
            Proxy.newProxyInstance(
                Gpu.class.getClassLoader(),
                new Class<?>[] {Gpu.class},
                (proxy, method, arguments) -> {
                  if (method.getName().equals("multiply")) {
                    Gemm product = (Gemm) arguments[0];
                    for (Memory factor : List.of(product.a(), product.b())) {
                      float[] values = new float[64];
                      gpu.read(factor, values);
                      assertThat(values).doesNotHaveDuplicates().doesNotContain(0);
                      factors.add(factor);
                    }
                  }
                  return method.invoke(gpu, arguments);
                });

    assertThat(GpuBenchmark.productGflops(() -> watched, new GpuBenchmark.Probe(8, 100, 1)))
        .isPositive();
    assertThat(factors).isNotEmpty();
  }
}
