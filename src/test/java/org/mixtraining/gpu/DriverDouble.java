package org.mixtraining.gpu;

import com.sun.jna.NativeLibrary;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;

/**
 * The double of NVIDIA's driver, cuBLASLt and NVRTC of {@code src/gpu/double}, loaded into this
 * process before the Java of {@code src/gpu} asks for the real ones. It is set to fail here, and
 * says what was done to it.
 */
public final class DriverDouble {
  private static final Path SOURCES = Path.of("src", "gpu", "double");
  private static final String DRIVER = "libcuda.so.1";

  /** Libraries that are asked for by these names, and whose functions are the driver's. */
  private static final List<String> OTHERS =
      List.of("libcudart.so.13", "libnvrtc.so.13", "libcublasLt.so.13", "libcublas.so.13");

  private static DriverDouble loaded;

  private final NativeLibrary library;

  private DriverDouble(NativeLibrary library) {
    this.library = library;
  }

  /** The one of this process; tests that need it are skipped without g++. */
  static synchronized DriverDouble load() {
    if (loaded == null) {
      Path directory = build();
      System.load(directory.resolve(DRIVER).toString());
      OTHERS.forEach(other -> System.load(directory.resolve(other).toString()));
      loaded = new DriverDouble(NativeLibrary.getInstance(directory.resolve(DRIVER).toString()));
    }
    return loaded;
  }

  /** Makes it what it usually is, and forgets what was done to it. */
  DriverDouble reset() {
    call("double_reset");
    return this;
  }

  /** Prints {@link #build}'s directory. */
  public static void main(String[] none) {
    System.out.println(build());
  }

  /** A directory with its libraries, where a process finds them by LD_LIBRARY_PATH. */
  public static synchronized Path build() {
    Path floats = HostKernels.library(Memory.Type.FLOAT);
    Path halves = HostKernels.library(Memory.Type.BF16);
    try {
      Path directory = Files.createDirectories(floats.resolveSibling("double-" + hash()));
      link(directory.resolve("host-FLOAT.so"), floats);
      link(directory.resolve("host-BF16.so"), halves);
      compile(directory, DRIVER, List.of("driver.cpp", "products.cpp", "compiler.cpp"), "-ldl");
      for (String other : OTHERS) {
        compile(directory, other, List.of(), directory.resolve(DRIVER).toString());
      }
      return directory;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String hash() throws IOException {
    return Integer.toHexString(HostKernels.hash(SOURCES));
  }

  private static void link(Path from, Path to) throws IOException {
    Files.deleteIfExists(from);
    try {
      Files.createLink(from, to);
    } catch (FileAlreadyExistsException e) {
      // Another process has made it.
    }
  }

  private static void compile(Path directory, String name, List<String> sources, String linked)
      throws IOException {
    if (Files.exists(directory.resolve(name))) {
      return;
    }
    Path fresh = Files.createTempFile(directory, "fresh", ".so");
    List<String> command = new ArrayList<>(List.of("g++", "-std=c++17", "-O1", "-shared", "-fPIC"));
    command.addAll(List.of("-Wall", "-Wextra", "-Werror", "-fvisibility=hidden"));
    command.addAll(List.of("-Wl,--no-as-needed,-soname," + name, "-o", fresh.toString()));
    sources.forEach(source -> command.add(SOURCES.resolve(source).toString()));
    command.add(linked);
    HostKernels.run(command);
    Files.move(fresh, directory.resolve(name), StandardCopyOption.ATOMIC_MOVE);
  }

  /** Frees what a lost device could not give back. */
  void forget() {
    call("double_forget");
  }

  private void call(String function, Object... arguments) {
    library.getFunction(function).invoke(arguments);
  }

  private long number(String function) {
    return library.getFunction(function).invokeLong(new Object[0]);
  }

  private String text(String function) {
    return library.getFunction(function).invokeString(new Object[0], false);
  }

  // --- what it does ----------------------------------------------------------------------------

  /** The how many-th call from now fails, if it is one that can; 0: none. */
  void failCall(long nth) {
    call("double_fails", nth);
  }

  /** The how many-th kernel from now faults, after which a device is lost to its process. */
  void faultKernel(long nth) {
    call("double_faults", nth);
  }

  /** Bytes that a device has. */
  void budget(long bytes) {
    call("double_budget", bytes);
  }

  /**
   * The devices' compute capability.
   *
   * @param capability 10 · major + minor
   */
  void capability(int capability) {
    call("double_capability", capability);
  }

  /** Which of cuBLASLt's algorithms fills the device, the first being 0, which never does. */
  void fillBy(int algorithm) {
    call("double_filling", algorithm);
  }

  /** Lets cuBLASLt know no algorithm that adds a bias. */
  void addNoBias() {
    call("double_plain", 1);
  }

  // --- what was done to it ---------------------------------------------------------------------

  /** Bytes of both devices that are allocated. */
  long used() {
    return number("double_used");
  }

  /** Calls that could have failed. */
  long calls() {
    return number("double_calls");
  }

  /** Kernels that were executed. */
  long kernels() {
    return number("double_kernels");
  }

  /** Graphs that were launched. */
  long replays() {
    return number("double_replays");
  }

  /** Number of cuBLASLt's algorithm that was last used. */
  long algorithm() {
    return library.getFunction("double_algorithm").invokeInt(new Object[0]);
  }

  /** The call that failed; empty: none did. */
  String failed() {
    return text("double_failed");
  }

  /** What no caller may do and was done, a line each. */
  String complaints() {
    return text("double_complaints");
  }

  /** What was made and not given back, a line for each kind. */
  String live() {
    return text("double_live");
  }
}
