package org.mixtraining.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.jna.NativeLibrary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.bytedeco.cuda.global.nvrtc;
import org.bytedeco.cuda.nvrtc._nvrtcProgram;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.PointerPointer;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Compilation of the kernels by NVRTC, without a GPU: {@code mvn test -Pgpu,nvrtc -Dtest=NvrtcTest}
 * downloads it (380 MB).
 */
class NvrtcTest {
  @TempDir private static Path directory;

  @BeforeAll
  static void load() throws IOException {
    if (!hasDriver()) {
      assumeTrue(
          HostKernels.isInstalled("g++"), "there is no driver, and no g++ to stand in for it");
      standInForTheDriver();
    }
    assumeTrue(hasNvrtc(), "there is no NVRTC: the Maven profile nvrtc downloads it");
  }

  private static boolean hasDriver() {
    try {
      NativeLibrary.getInstance("libcuda.so.1");
      return true;
    } catch (UnsatisfiedLinkError e) {
      return false;
    }
  }

  /** Whether it compiles: JavaCPP also finds a part of it that an earlier process unpacked. */
  private static boolean hasNvrtc() {
    _nvrtcProgram empty = new _nvrtcProgram();
    try (BytePointer none = new BytePointer("")) {
      return nvrtc.nvrtcCreateProgram(
                  empty, none, none, 0, (PointerPointer<?>) null, (PointerPointer<?>) null)
              == nvrtc.NVRTC_SUCCESS
          && nvrtc.nvrtcCompileProgram(empty, 0, (PointerPointer<?>) null) == nvrtc.NVRTC_SUCCESS;
    } catch (LinkageError e) {
      return false;
    }
  }

  /** JavaCPP links NVRTC's library to the driver's, none of which is called. */
  private static void standInForTheDriver() throws IOException {
    Path source = Files.writeString(directory.resolve("driver.c"), "void stand_in(void) {}");
    Path library = directory.resolve("libcuda.so.1");
    HostKernels.run(
        List.of(
            "g++",
            "-shared",
            "-fPIC",
            "-Wl,-soname,libcuda.so.1",
            source.toString(),
            "-o",
            library.toString()));
    System.load(library.toString());
  }

  @ParameterizedTest
  @CsvSource({"FLOAT, 80", "BF16, 80", "BF16, 90", "BF16, 100", "BF16, 120"})
  void kernelsCompileWhereTheyTrain(Memory.Type matrixType, int capability) {
    assertThat(CudaKernels.compiled(matrixType, capability)).hasSizeGreaterThan(100_000);
  }
}
