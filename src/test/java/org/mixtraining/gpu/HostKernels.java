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
  private static final Map<String, Path> LIBRARIES = new HashMap<>();

  private HostKernels() {}

  /** The shared library with matrices of a type; tests that need it are skipped without g++. */
  static synchronized Path library(Memory.Type matrixType) {
    return library(matrixType, "host", "-O2");
  }

  /**
   * The same where each access to memory is told, by the calls that g++ makes for its thread
   * sanitizer, to what watches for races.
   */
  static synchronized Path watched(Memory.Type matrixType) {
    return library(
        matrixType,
        "watched",
        "-O1",
        "-DWATCHED",
        "-fsanitize=thread",
        "--param=tsan-instrument-func-entry-exit=0");
  }

  private static Path library(Memory.Type matrixType, String name, String... options) {
    assumeTrue(isInstalled("g++"), "there is no g++ to compile the CUDA kernels for the CPU");
    return LIBRARIES.computeIfAbsent(
        name + "-" + matrixType, file -> compile(file, matrixType, List.of(options)));
  }

  static boolean isInstalled(String program) {
    return Stream.of(System.getenv("PATH").split(File.pathSeparator))
        .anyMatch(directory -> Files.isExecutable(Path.of(directory, program)));
  }

  private static Path compile(String name, Memory.Type matrixType, List<String> options) {
    try {
      Path directory = Files.createDirectories(Path.of("target", "cuda"));
      Path library =
          directory
              .resolve(String.format(Locale.ROOT, "%s-%08x.so", name, hash(SOURCES, SHIM)))
              .toAbsolutePath();
      if (!Files.exists(library)) {
        Path fresh = Files.createTempFile(directory, "host", ".so");
        List<String> command = new ArrayList<>(List.of("g++", "-x", "c++", "-std=c++17"));
        command.addAll(options);
        command.addAll(
            List.of(
                "-U_FORTIFY_SOURCE",
                "-fPIC",
                "-Wall",
                "-Werror",
                "-fno-strict-aliasing",
                "-ffp-contract=off"));
        // Both libraries have functions of the same names; neither may find the other's.
        command.addAll(List.of("-fvisibility=hidden", "-fno-gnu-unique"));
        command.addAll(List.of("-I", SOURCES.toString(), "-I", SHIM.toString()));
        if (matrixType == Memory.Type.BF16) {
          command.add("-DMATRIX_BF16");
        }
        Path object = Files.createTempFile(directory, "host", ".o");
        command.addAll(List.of("-c", SHIM.resolve("host.cpp").toString(), "-o", object.toString()));
        run(command);
        run(List.of("g++", "-shared", "-Wl,-Bsymbolic", object.toString(), "-o", fresh.toString()));
        Files.delete(object);
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

  /** Runs a compiler, whose failure fails the test; what it said. */
  static String run(List<String> command) throws IOException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    try {
      assertThat(process.waitFor()).as("%s%n%s", String.join(" ", command), said).isZero();
      return said;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }
}
