package org.mixtraining.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/** The kernels compiled for the CPU, where there is a g++. */
final class HostKernels {
  static final Path SOURCES = Path.of("src", "main", "cuda");
  static final Path SHIM = Path.of("src", "test", "cuda");
  private static final Map<Memory.Type, Path> LIBRARIES = new HashMap<>();

  private HostKernels() {}

  /** The shared library with matrices of a type; tests that need it are skipped without g++. */
  static synchronized Path library(Memory.Type matrixType) {
    assumeTrue(isInstalled("g++"), "there is no g++ to compile the CUDA kernels for the CPU");
    return LIBRARIES.computeIfAbsent(matrixType, HostKernels::compile);
  }

  static boolean isInstalled(String program) {
    return Stream.of(System.getenv("PATH").split(File.pathSeparator))
        .anyMatch(directory -> Files.isExecutable(Path.of(directory, program)));
  }

  private static Path compile(Memory.Type matrixType) {
    try {
      Path directory = Files.createDirectories(Path.of("target", "cuda"));
      Path library =
          directory
              .resolve(String.format(Locale.ROOT, "host-%s-%08x.so", matrixType, hash(SOURCES, SHIM)))
              .toAbsolutePath();
      if (!Files.exists(library)) {
        Path fresh = Files.createTempFile(directory, "host", ".so");
        List<String> command = new ArrayList<>(List.of("g++", "-x", "c++", "-std=c++17", "-O2"));
        command.addAll(
            List.of(
                "-U_FORTIFY_SOURCE",
                "-fPIC",
                "-shared",
                "-Wall",
                "-Werror",
                "-fno-strict-aliasing",
                "-ffp-contract=off"));
        // Both libraries have functions of the same names; neither may find the other's.
        command.addAll(List.of("-fvisibility=hidden", "-fno-gnu-unique", "-Wl,-Bsymbolic"));
        command.addAll(List.of("-I", SOURCES.toString(), "-I", SHIM.toString()));
        if (matrixType == Memory.Type.BF16) {
          command.add("-DMATRIX_BF16");
        }
        command.addAll(List.of(SHIM.resolve("host.cpp").toString(), "-o", fresh.toString()));
        run(command);
        Files.move(fresh, library, StandardCopyOption.ATOMIC_MOVE);
      }
      return library;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Of all files in some directories. */
  static int hash(Path... directories) throws IOException {
    StringBuilder all = new StringBuilder();
    for (Path directory : directories) {
      try (Stream<Path> files = Files.list(directory)) {
        for (Path file : files.sorted().toList()) {
          all.append(Files.readString(file));
        }
      }
    }
    return all.toString().hashCode();
  }

  /** Runs a compiler, whose complaints fail the test. */
  static void run(List<String> command) throws IOException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    try {
      assertThat(process.waitFor()).as("%s%n%s", String.join(" ", command), said).isZero();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }
}
