package org.mixtraining.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The CUDA sources, as a compiler for GPUs sees them. */
class CudaSourcesTest {

  @TempDir private Path directory;

  /** Ampere, Hopper and Blackwell. */
  @ParameterizedTest
  @CsvSource({"sm_80, ''", "sm_90, -DMATRIX_BF16", "sm_100, -DMATRIX_BF16"})
  void kernelsCompileForEveryGeneration(String architecture, String precision) throws IOException {
    assumeTrue(HostKernels.isInstalled("nvcc"), "there is no nvcc to compile the CUDA kernels");
    Path binary = directory.resolve("kernels.cubin");
    List<String> command = new ArrayList<>(List.of("nvcc", "-cubin", "-std=c++17", "-Werror"));
    command.addAll(List.of("all-warnings", "-arch=" + architecture));
    if (!precision.isEmpty()) {
      command.add(precision);
    }
    command.addAll(List.of(HostKernels.SOURCES.resolve("kernels.cu").toString(), "-o"));
    command.add(binary.toString());

    HostKernels.run(command);

    String code = Files.readString(binary, java.nio.charset.StandardCharsets.ISO_8859_1);
    assertThat(kernels()).hasSizeGreaterThan(25).allSatisfy(k -> assertThat(code).contains(k));
  }

  /** A sum by atomics would depend on which thread comes first. */
  @Test
  void nothingIsAddedUpByAtomics() throws IOException {
    for (Path file : sources()) {
      assertThat(Files.readString(file)).as("%s", file).doesNotContain("atomicAdd");
    }
  }

  private static List<String> kernels() throws IOException {
    List<String> names = new ArrayList<>();
    for (Path file : sources()) {
      Pattern.compile("^KERNEL (\\w+)\\(", Pattern.MULTILINE)
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
