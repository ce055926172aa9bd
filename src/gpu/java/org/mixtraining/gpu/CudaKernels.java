package org.mixtraining.gpu;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.bytedeco.cuda.cudart.CUfunc_st;
import org.bytedeco.cuda.cudart.CUmod_st;
import org.bytedeco.cuda.global.cudart;
import org.bytedeco.cuda.global.nvrtc;
import org.bytedeco.cuda.nvrtc._nvrtcProgram;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.PointerPointer;
import org.bytedeco.javacpp.SizeTPointer;
import org.mixtraining.config.UserException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The kernels of {@code src/main/cuda}, compiled for a device. What was compiled is kept under
 * {@code ~/.cache/mixtraining} for the next process.
 */
final class CudaKernels implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(CudaKernels.class);
  private static final String MAIN = "kernels.cu";
  private static final Pattern INCLUDE = Pattern.compile("#include \"(\\w+\\.cuh)\"");

  /** Of architectures that no device has. */
  private static final String VIRTUAL = "compute_";

  /** What a block of threads may share without asking for more. */
  private static final int USUAL_SHARED_BYTES = 48 << 10;

  private final CudaDevice device;
  private final CUmod_st module = new CUmod_st();
  private final Map<String, CUfunc_st> functions = new HashMap<>();
  private final Map<String, Integer> sharedBytes = new HashMap<>();

  CudaKernels(CudaDevice device, Memory.Type matrixType) {
    this.device = device;
    byte[] code = cached(sources(), options(matrixType, device.capability()));
    try (BytePointer binary = new BytePointer(code)) {
      Cuda.check("cuModuleLoadData", cudart.cuModuleLoadData(module, binary));
    }
  }

  /** A kernel that may share so many bytes among the threads of a block. */
  CUfunc_st function(String kernel, int shared) {
    CUfunc_st function = functions.computeIfAbsent(kernel, this::find);
    if (shared > Math.max(USUAL_SHARED_BYTES, sharedBytes.getOrDefault(kernel, 0))) {
      if (shared > device.sharedBytes()) {
        throw new UserException(
            String.format(
                Locale.ROOT,
                "mixtraining.model.patch: the sequences are too long for the kernel %s, which needs %d KB of shared memory of the %d KB that %s has; take larger patches or smaller images",
                kernel,
                shared >> 10,
                device.sharedBytes() >> 10,
                device.name()));
      }
      Cuda.check(
          "cuFuncSetAttribute(%s)".formatted(kernel),
          cudart.cuFuncSetAttribute(
              function, cudart.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, shared));
      sharedBytes.put(kernel, shared);
    }
    return function;
  }

  private CUfunc_st find(String kernel) {
    CUfunc_st function = new CUfunc_st();
    Cuda.check(
        "cuModuleGetFunction(%s)".formatted(kernel),
        cudart.cuModuleGetFunction(function, module, kernel));
    return function;
  }

  @Override
  public void close() {
    Cuda.check("cuModuleUnload", cudart.cuModuleUnload(module));
  }

  // --- compilation -----------------------------------------------------------------------------

  /**
   * The kernels compiled for devices of a capability.
   *
   * @param capability 10 · major + minor
   */
  static byte[] compiled(Memory.Type matrixType, int capability) {
    return compiled(sources(), options(matrixType, capability));
  }

  private static List<String> options(Memory.Type matrixType, int capability) {
    List<String> options = new ArrayList<>(List.of("--std=c++17"));
    options.add("-default-device"); // lambdas are for the device too, as nvcc has it
    options.add("--gpu-architecture=" + architecture(capability));
    if (matrixType == Memory.Type.BF16) {
      options.add("-DMATRIX_BF16");
    }
    return options;
  }

  /** What code is for: the device; if NVRTC is older, the driver translates that for others. */
  private static String architecture(int capability) {
    int[] count = new int[1];
    Cuda.checkNvrtc("nvrtcGetNumSupportedArchs", nvrtc.nvrtcGetNumSupportedArchs(count));
    int[] known = new int[count[0]];
    Cuda.checkNvrtc("nvrtcGetSupportedArchs", nvrtc.nvrtcGetSupportedArchs(known));
    return IntStream.of(known).anyMatch(arch -> arch == capability)
        ? "sm_" + capability
        : VIRTUAL + IntStream.of(known).filter(arch -> arch < capability).max().orElse(capability);
  }

  /** Every file by name, the main one first. */
  private static Map<String, String> sources() {
    Map<String, String> sources = new java.util.LinkedHashMap<>();
    List<String> wanted = new ArrayList<>(List.of(MAIN));
    while (!wanted.isEmpty()) {
      String name = wanted.remove(0);
      if (!sources.containsKey(name)) {
        String source = source(name);
        sources.put(name, source);
        INCLUDE.matcher(source).results().forEach(include -> wanted.add(include.group(1)));
      }
    }
    return sources;
  }

  private static String source(String name) {
    try (InputStream in = CudaKernels.class.getResourceAsStream("kernels/" + name)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static byte[] cached(Map<String, String> sources, List<String> options) {
    int[] major = new int[1];
    int[] minor = new int[1];
    Cuda.checkNvrtc("nvrtcVersion", nvrtc.nvrtcVersion(major, minor));
    String identity =
        String.format(Locale.ROOT, "%d.%d %s %s", major[0], minor[0], options, sources);
    Path directory = Path.of(System.getProperty("user.home"), ".cache", "mixtraining");
    Path file = directory.resolve("kernels-%s.cubin".formatted(sha256(identity)));
    try {
      if (Files.exists(file)) {
        return Files.readAllBytes(file);
      }
      byte[] code = compiled(sources, options);
      Files.createDirectories(directory);
      Path fresh = Files.createTempFile(directory, "kernels", ".cubin");
      Files.write(fresh, code);
      Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
      return code;
    } catch (IOException e) {
      LOG.warn("compiled kernels cannot be kept in {}: {}", directory, e.toString());
      return compiled(sources, options);
    }
  }

  private static String sha256(String text) {
    try {
      byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private static byte[] compiled(Map<String, String> sources, List<String> options) {
    Map<String, String> headers = new java.util.LinkedHashMap<>(sources);
    String main = headers.remove(MAIN);
    _nvrtcProgram program = new _nvrtcProgram();
    try (BytePointer source = new BytePointer(main, StandardCharsets.UTF_8);
        BytePointer name = new BytePointer(MAIN);
        PointerPointer<BytePointer> texts =
            new PointerPointer<>(headers.values().toArray(String[]::new));
        PointerPointer<BytePointer> names =
            new PointerPointer<>(headers.keySet().toArray(String[]::new));
        PointerPointer<BytePointer> flags = new PointerPointer<>(options.toArray(String[]::new));
        SizeTPointer size = new SizeTPointer(1)) {
      Cuda.checkNvrtc(
          "nvrtcCreateProgram",
          nvrtc.nvrtcCreateProgram(program, source, name, headers.size(), texts, names));
      int answer = nvrtc.nvrtcCompileProgram(program, options.size(), flags);
      if (answer != nvrtc.NVRTC_SUCCESS) {
        Cuda.checkNvrtc("nvrtcGetProgramLogSize", nvrtc.nvrtcGetProgramLogSize(program, size));
        byte[] log = new byte[(int) size.get()];
        Cuda.checkNvrtc("nvrtcGetProgramLog", nvrtc.nvrtcGetProgramLog(program, log));
        LOG.error("{}", new String(log, StandardCharsets.UTF_8));
      }
      Cuda.checkNvrtc("nvrtcCompileProgram " + options, answer);
      boolean virtual = options.stream().anyMatch(option -> option.contains(VIRTUAL));
      Cuda.checkNvrtc(
          "nvrtcGetCUBINSize or nvrtcGetPTXSize",
          virtual ? nvrtc.nvrtcGetPTXSize(program, size) : nvrtc.nvrtcGetCUBINSize(program, size));
      byte[] code = new byte[(int) size.get()];
      Cuda.checkNvrtc(
          "nvrtcGetCUBIN or nvrtcGetPTX",
          virtual ? nvrtc.nvrtcGetPTX(program, code) : nvrtc.nvrtcGetCUBIN(program, code));
      return code;
    } finally {
      if (!program.isNull()) {
        nvrtc.nvrtcDestroyProgram(program);
      }
    }
  }
}
