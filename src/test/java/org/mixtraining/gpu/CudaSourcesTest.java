package org.mixtraining.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The CUDA sources, as a compiler for GPUs sees them. */
class CudaSourcesTest {

  @TempDir private Path directory;

  /** Ampere, Hopper and Blackwell. */
  @Test
  void kernelsCompileForEveryGenerationOfGpus() throws IOException {
    assumeTrue(HostKernels.isInstalled("nvcc"), "there is no nvcc to compile the CUDA kernels");
    Path binaries = directory.resolve("kernels.fatbin");
    List<String> command = new ArrayList<>(List.of("nvcc", "-fatbin", "-std=c++17", "-Werror"));
    command.addAll(List.of("all-warnings", "-DMATRIX_BF16", "--threads", "3"));
    command.addAll(List.of("-Xptxas", "-O0", "-Xcicc", "-O1")); // a third of the time
    for (int capability : new int[] {80, 90, 100}) {
      command.addAll(
          List.of(
              "-gencode",
              String.format(Locale.ROOT, "arch=compute_%1$d,code=sm_%1$d", capability)));
    }
    command.addAll(List.of(HostKernels.SOURCES.resolve("kernels.cu").toString(), "-o"));
    command.add(binaries.toString());

    HostKernels.run(command);

    assertThat(Files.size(binaries)).isGreaterThan(10_000);
  }

  /**
   * What a kernel may take of a Hopper's registers so that enough of its threads are there at once:
   * 64, of which a processor has room for a thousand threads, and attention more.
   */
  @Test
  void kernelsKeepToTheirRegistersAndSpillNone() throws IOException {
    assumeTrue(HostKernels.isInstalled("nvcc"), "there is no nvcc to compile the CUDA kernels");
    String said =
        HostKernels.run(
            List.of(
                "nvcc",
                "-cubin",
                "-std=c++17",
                "-DMATRIX_BF16",
                "-arch=sm_90",
                "-Xptxas",
                "-v",
                "-o",
                directory.resolve("kernels.cubin").toString(),
                HostKernels.SOURCES.resolve("kernels.cu").toString()));
    Map<String, Integer> registers = new HashMap<>();
    Pattern.compile(
            "Function properties for (\\w+)\\s+(.*)\\s+.*Used (\\d+) registers", Pattern.MULTILINE)
        .matcher(said)
        .results()
        .forEach(
            kernel -> {
              assertThat(kernel.group(2))
                  .as(kernel.group(1))
                  .contains("0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads");
              registers.put(kernel.group(1), Integer.parseInt(kernel.group(3)));
            });
    assertThat(registers.keySet()).containsExactlyInAnyOrderElementsOf(kernels());
    assertThat(registers)
        .allSatisfy(
            (kernel, used) ->
                assertThat(used)
                    .as(kernel)
                    .isLessThanOrEqualTo(
                        switch (kernel) {
                          case "tensor_attention" -> 96;
                          case "tensor_attention_backward" -> 128;
                          default -> 64;
                        }));
  }

  /** The compiler of the machine that trains has no headers but these. */
  @Test
  void noHeadersOfTheSystemAreUsed() throws IOException {
    for (Path file : sources()) {
      assertThat(Files.readString(file)).as("%s", file).doesNotContain("#include <", "INFINITY ");
    }
  }

  /** Each kernel can be tested on the CPU. */
  @Test
  void theHostLibraryHasEveryKernel() throws IOException {
    String library = Files.readString(HostKernels.SHIM.resolve("host.cpp"));
    assertThat(kernels())
        .hasSizeGreaterThan(25)
        .allSatisfy(kernel -> assertThat(library).contains("ENTRY(" + kernel + ", "));
  }

  /** A sum by atomics would depend on which thread comes first; a count does not. */
  @Test
  void atomicsOnlyCount() throws IOException {
    for (Path file : sources()) {
      assertThat(Files.readString(file).replaceAll("atomicAdd\\(\\w+ \\+ [^;]*, 1\\);", ""))
          .as("%s", file)
          .doesNotContainPattern("atomic[A-Z]");
    }
  }

  private static List<String> kernels() throws IOException {
    List<String> names = new ArrayList<>();
    for (Path file : sources()) {
      Pattern.compile("^KERNEL (?:__launch_bounds__\\(.*\\)\\s+)?(\\w+)\\(", Pattern.MULTILINE)
          .matcher(Files.readString(file))
          .results()
          .map((MatchResult kernel) -> kernel.group(1))
          .forEach(names::add);
    }
    return names;
  }

  private static List<Path> sources() throws IOException {
    try (Stream<Path> files = Files.list(HostKernels.SOURCES)) {
      return files.toList();
    }
  }
}
