package org.mixtraining.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.apache.spark.executor.Executor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.mixtraining.config.UserException;
import org.mixtraining.config.WorkersConfig.Precision;
import org.mixtraining.gpu.Gemm.Form;
import org.mixtraining.gpu.Gemm.Gelu;
import org.mixtraining.gpu.Gpu.CapturedGraph;
import org.mixtraining.kernels.DeviceLostError;

/** The driver's Java on the double of the driver. */
@Tag("double")
class CudaGpuTest {
  private static final String SYNC = "mixtraining.gpu.sync";
  private final DriverDouble driver = DriverDouble.load();

  @BeforeEach
  void begin() {
    driver.reset();
  }

  @AfterEach
  void nothingWasDoneThatADeviceWouldNotForgive() {
    System.clearProperty(SYNC);
    assertThat(driver.complaints()).isEmpty();
    driver.reset();
    assertThat(driver.live()).isEmpty();
  }

  private static Gpu open(Precision precision) {
    new CudaAccelerator().bind("0");
    return CudaGpu.open(CudaDevice.at(0), precision);
  }

  private static Gpu open() {
    return open(Precision.FP32);
  }

  private static Memory memory(Gpu gpu, float... values) {
    Memory memory = gpu.allocate(Memory.Type.FLOAT, values.length);
    gpu.write(memory, values);
    return memory;
  }

  private static float[] read(Gpu gpu, Memory memory) {
    float[] values = new float[(int) memory.count()];
    gpu.read(memory, values);
    return values;
  }

  private static void copy(Gpu gpu, Memory from, Memory to) {
    Operations.round(gpu, from, to);
  }

  /** Copies beside the stream land late. */
  @Test
  void aKernelReadsWhatWasUploadedBefore() {
    try (Gpu gpu = open()) {
      Memory from = gpu.allocate(Memory.Type.BYTE, 8);
      Memory to = gpu.allocate(Memory.Type.FLOAT, 2);
      ByteBuffer bytes = ByteBuffer.allocateDirect(8).order(ByteOrder.LITTLE_ENDIAN);
      gpu.upload(from, bytes.putFloat(3).putFloat(4).flip());
      copy(gpu, new Memory(from.address(), Memory.Type.FLOAT, 2), to);
      assertThat(read(gpu, to)).containsExactly(3, 4);
    }
  }

  @Test
  void valuesAreWrittenInTheOrderOfTheCalls() {
    try (Gpu gpu = open()) {
      Memory from = gpu.allocate(Memory.Type.FLOAT, 1);
      Memory to = gpu.allocate(Memory.Type.FLOAT, 5);
      for (int i = 0; i < 5; i++) {
        gpu.write(from, new float[] {i});
        copy(gpu, from, to.from(i).first(1));
      }
      assertThat(read(gpu, to)).containsExactly(0, 1, 2, 3, 4);
    }
  }

  @Test
  void pageLockedMemoryGoesWithTheMemoryThatItIsCopiedTo() {
    try (Gpu gpu = open()) {
      Memory memory = gpu.allocate(Memory.Type.FLOAT, 8);
      gpu.write(memory, new float[4]);
      gpu.write(memory.from(4), new float[4]);
      assertThat(driver.live()).contains("2 pinned memory");
      gpu.free(memory);
      assertThat(driver.live()).doesNotContain("pinned memory", "event");
    }
  }

  @Test
  void graphsAreCapturedTheSecondTimeAndRepeatedFromThenOn() {
    try (Gpu gpu = open()) {
      Memory from = memory(gpu, 1);
      Memory to = gpu.allocate(Memory.Type.FLOAT, 1);
      try (CapturedGraph graph = gpu.capture(() -> copy(gpu, from, to))) {
        for (int i = 0; i < 4; i++) {
          gpu.write(from, new float[] {i});
          graph.launch();
          assertThat(read(gpu, to)).containsExactly(i);
          assertThat(driver.replays()).isEqualTo(i);
        }
      }
    }
  }

  @Test
  void anExceptionWhileCallsAreCapturedLeavesTheStreamUsable() {
    try (Gpu gpu = open()) {
      Memory from = memory(gpu, 1);
      Memory to = gpu.allocate(Memory.Type.FLOAT, 1);
      int[] calls = new int[1];
      Runnable failing =
          () -> {
            copy(gpu, from, to);
            if (++calls[0] == 2) {
              throw new IllegalStateException("in the middle");
            }
          };
      try (CapturedGraph graph = gpu.capture(failing)) {
        graph.launch();
        assertThatThrownBy(graph::launch).hasMessage("in the middle");
        gpu.write(from, new float[] {7});
        graph.launch();
        assertThat(read(gpu, to)).containsExactly(7);
      }
    }
  }

  @Test
  void anErrorOfAKernelIsToldByALaterCall() {
    Gpu gpu = open();
    Memory memory = memory(gpu, 1);
    driver.faultKernel(1);
    copy(gpu, memory, memory);
    assertThatThrownBy(gpu::finish)
        .isInstanceOf(DeviceLostError.class)
        .hasMessage(
            "cuStreamSynchronize: ERROR_700, an illegal memory access was encountered; the GPU is lost to this process");
    assertThatThrownBy(gpu::close).isInstanceOf(DeviceLostError.class);
    forget(memory, 2);
  }

  @Test
  void waitingForEachCallTellsTheKernel() {
    System.setProperty(SYNC, "true");
    Gpu gpu = open();
    Memory memory = memory(gpu, 1);
    driver.faultKernel(2);
    CapturedGraph graph = gpu.capture(() -> copy(gpu, memory, memory));
    graph.launch();
    assertThatThrownBy(graph::launch).hasMessageStartingWith("round_values: ERROR_700");
    assertThatThrownBy(gpu::close).isInstanceOf(DeviceLostError.class);
    forget(memory, 2);
  }

  /** What a lost device cannot give back. */
  private void forget(Memory memory, int pieces) {
    assertThat(driver.live()).isEqualTo(pieces + " device memory\n");
    driver.reset();
    driver.forget();
    assertThat(memory).isNotNull();
  }

  /** Else the executor's next task would find the same error. */
  @Test
  void aLostDeviceEndsTheExecutor() {
    assertThat(Executor.isFatalError(new DeviceLostError("cuMemAlloc: an error"), 5)).isTrue();
    assertThat(Executor.isFatalError(new IllegalStateException("cuMemAlloc: an error"), 5))
        .isFalse();
  }

  @Test
  void tooLittleMemoryNamesTheSettingThatTakesIt() {
    try (Gpu gpu = open()) {
      driver.budget(100 << 20);
      assertThatThrownBy(() -> gpu.allocate(Memory.Type.FLOAT, 25 << 20))
          .isInstanceOf(UserException.class)
          .hasMessage(
              "mixtraining.optimizer.batch-size: a step takes more memory than Double 0 has left (101 MB more were asked for): lower it");
    }
  }

  /** Of a GPU that NVRTC does not know, it compiles for the newest that it knows. */
  @Test
  void aGpuThatIsNewerThanTheCompilerRunsWhatTheDriverTranslates() {
    CudaDevice future = new CudaDevice("Future", CudaDevice.at(0).context(), 130, 227 << 10);
    future.bind();
    try (Gpu gpu = CudaGpu.open(future, Precision.BF16)) {
      Memory from = memory(gpu, 1.5f);
      Memory to = gpu.allocate(Memory.Type.FLOAT, 1);
      Memory half = gpu.allocate(Memory.Type.BF16, 1);
      copy(gpu, from, half);
      gpu.launch("add_bias", 1, 32, 0, to, from, 1L, 1);
      assertThat(read(gpu, to)).containsExactly(1.5f);
    }
  }

  @Test
  void eachFailureToOpenGivesBackWhatWasOpened() {
    open(Precision.BF16).close();
    driver.reset();
    open(Precision.BF16).close();
    long calls = driver.calls();
    assertThat(calls).isGreaterThan(5);
    for (long n = 1; n <= calls; n++) {
      driver.reset().failCall(n);
      assertThatThrownBy(() -> open(Precision.BF16).close()).as("call %d", n).isNotNull();
      assertThat(driver.live()).as("after call %d, %s", n, driver.failed()).isEmpty();
    }
  }

  // --- products --------------------------------------------------------------------------------

  @ParameterizedTest
  @EnumSource(
      value = Memory.Type.class,
      names = {"FLOAT", "BF16"})
  void whereNoAlgorithmAddsABiasAKernelDoes(Memory.Type out) {
    driver.addNoBias();
    try (Gpu gpu = open(Precision.BF16)) {
      Memory factors = gpu.allocate(Memory.Type.BF16, 6);
      copy(gpu, memory(gpu, 1, 2, 3, 4, 5, 6), factors);
      Memory bias = gpu.allocate(out, 3);
      Memory values = memory(gpu, 10, 20, 30);
      Memory product = gpu.allocate(out, 6);
      if (out == Memory.Type.BF16) {
        copy(gpu, values, bias);
      } else {
        gpu.write(bias, new float[] {10, 20, 30});
      }

      gpu.multiply(
          new Gemm(
              "product", factors, Form.PLAIN, factors, Form.PLAIN, null, bias, product, 2, 3, 2));

      float[] sums = new float[6];
      if (out == Memory.Type.FLOAT) {
        gpu.read(product, sums);
      } else {
        float[] pairs = new float[3];
        gpu.read(product, pairs); // of bfloat16, the first in the lower half
        for (int i = 0; i < 6; i++) {
          int bits = Float.floatToRawIntBits(pairs[i / 2]);
          sums[i] = Float.intBitsToFloat(i % 2 == 0 ? bits << 16 : bits & 0xffff0000);
        }
      }
      assertThat(sums).containsExactly(19, 32, 45, 29, 46, 63);
    }
  }

  @Test
  void aProductThatLeavesTheDeviceIdleTakesTheAlgorithmThatDoesNot() {
    driver.fillBy(3);
    try (Gpu gpu = open()) {
      Memory small = gpu.allocate(Memory.Type.FLOAT, 4);
      gpu.multiply(product(small, small, 2, 1, 2));
      assertThat(driver.algorithm()).isEqualTo(3);

      Memory large = gpu.allocate(Memory.Type.FLOAT, 3000);
      gpu.multiply(product(large, gpu.allocate(Memory.Type.FLOAT, 9_000_000), 3000, 1, 3000));
      assertThat(driver.algorithm()).as("of many tiles").isEqualTo(0);
    }
  }

  /** Then it is a pass of its own. */
  @Test
  void whereNoAlgorithmTakesGeluItSaysSo() {
    try (Gpu gpu = open(Precision.BF16)) {
      Memory factors = gpu.allocate(Memory.Type.BF16, 16);
      Memory out = gpu.allocate(Memory.Type.BF16, 16);
      for (int width : new int[] {8, 4}) {
        for (Gelu direction : List.of(Gelu.FORWARD, Gelu.BACKWARD)) {
          Gemm product =
              new Gemm(
                      "fc1",
                      factors,
                      Form.PLAIN,
                      factors,
                      Form.PLAIN,
                      null,
                      factors,
                      out,
                      2,
                      width,
                      2)
                  .with(direction, out);
          assertThat(gpu.multiplies(product)).as(product.label()).isEqualTo(width == 8);
        }
      }
      assertThat(gpu.multiplies(product(factors, out, 2, 2, 2))).isTrue();
    }
  }

  private static Gemm product(Memory factors, Memory out, int m, int k, int n) {
    return new Gemm("product", factors, Form.PLAIN, factors, Form.PLAIN, null, null, out, m, n, k);
  }

  @Test
  void bothGpusOfAProcessAreUsedByAThreadEach() {
    List<CompletableFuture<float[]>> threads =
        IntStream.range(0, 2).mapToObj(i -> CompletableFuture.supplyAsync(() -> five(i))).toList();
    assertThat(threads).allSatisfy(thread -> assertThat(thread.join()).containsExactly(5));
  }

  private static float[] five(int address) {
    new CudaAccelerator().bind(String.valueOf(address));
    try (Gpu gpu = CudaGpu.open(CudaDevice.at(address), Precision.FP32)) {
      Memory from = memory(gpu, 5);
      Memory to = gpu.allocate(Memory.Type.FLOAT, 1);
      copy(gpu, from, to);
      return read(gpu, to);
    }
  }
}
