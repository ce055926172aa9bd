package org.mixtraining.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.File;
import java.nio.file.Path;
import java.util.List;
import org.bytedeco.cuda.global.cudart;
import org.bytedeco.javacpp.Loader;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.gpu.CudaAccelerator;
import org.mixtraining.gpu.DriverDouble;
import org.mixtraining.run.EpochOutcome;
import org.mixtraining.run.WorkerShare;
import org.mixtraining.vit.Reconstruction;

/** A run through Spark on two GPUs of the double of NVIDIA's driver. */
@Tag("cluster")
class CudaRunTest {
  @TempDir static Path directory;
  @AutoClose private static GpuCluster cluster;

  @BeforeAll
  static void start() throws Exception {
    cluster = GpuCluster.start(directory, CudaAccelerator.class, driver(), DriverDouble.build());
  }

  @Test
  void aRunOnGpusIsTheOneOnTheCpu() {
    List<EpochOutcome> onGpus =
        cluster.train("workers.device=gpu", "workers.precision=fp32", "averaging.rounds=2");
    List<EpochOutcome> onCpu =
        cluster.train("workers.device=cpu", "workers.precision=fp32", "averaging.rounds=2");

    assertThat(onGpus).hasSize(3);
    for (int epoch = 0; epoch < onGpus.size(); epoch++) {
      assertThat(onGpus.get(epoch).workers())
          .extracting(share -> share.task().device())
          .containsExactlyInAnyOrder("nvidia:3", "nvidia:7");
      for (int worker = 0; worker < 2; worker++) {
        WorkerShare onGpu = onGpus.get(epoch).workers().get(worker);
        double loss = onCpu.get(epoch).workers().get(worker).metrics().loss();
        assertThat(onGpu.metrics().loss())
            .as("epoch %d, worker %d", epoch, worker)
            .isCloseTo(loss, within(1e-3 * loss));
      }
    }
  }

  @Test
  void reconstructionsOnAGpuAreThoseOnTheCpu() {
    Reconstruction onGpu = cluster.reconstruct("workers.device=gpu");
    Reconstruction onCpu = cluster.reconstruct("workers.device=cpu", "workers.precision=fp32");

    assertThat(onGpu.seen()).isEqualTo(onCpu.seen());
    assertThat(onGpu.completed()).containsExactly(onCpu.completed(), within(1e-4f));
  }

  /** Where the executors find the Java of -Pgpu, and JavaCPP's of CUDA with its libraries. */
  private static String driver() {
    String cuda = place(cudart.class);
    String libraries = cuda.replace(".jar", "-" + Loader.getPlatform() + ".jar");
    return String.join(File.pathSeparator, place(CudaAccelerator.class), cuda, libraries);
  }

  private static String place(Class<?> type) {
    return type.getProtectionDomain().getCodeSource().getLocation().getPath();
  }
}
