package org.mixtraining.gpu;

import java.util.Set;
import org.bytedeco.cuda.global.cublas;
import org.bytedeco.cuda.global.cudart;
import org.bytedeco.cuda.global.nvrtc;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;
import org.mixtraining.kernels.DeviceLostError;

/** Answers of CUDA's libraries. */
final class Cuda {

  private Cuda() {}

  /** Errors after which each call in the process answers the same. */
  private static final Set<Integer> LAST =
      Set.of(
          cudart.CUDA_ERROR_ECC_UNCORRECTABLE,
          cudart.CUDA_ERROR_NVLINK_UNCORRECTABLE,
          cudart.CUDA_ERROR_ILLEGAL_ADDRESS,
          cudart.CUDA_ERROR_LAUNCH_TIMEOUT,
          cudart.CUDA_ERROR_CONTEXT_IS_DESTROYED,
          cudart.CUDA_ERROR_ASSERT,
          cudart.CUDA_ERROR_HARDWARE_STACK_ERROR,
          cudart.CUDA_ERROR_ILLEGAL_INSTRUCTION,
          cudart.CUDA_ERROR_MISALIGNED_ADDRESS,
          cudart.CUDA_ERROR_INVALID_ADDRESS_SPACE,
          cudart.CUDA_ERROR_INVALID_PC,
          cudart.CUDA_ERROR_LAUNCH_FAILED);

  /**
   * @param call whose answer it is
   * @throws IllegalStateException unless it is a success: with the call and what its answer means
   * @throws DeviceLostError if no later call can succeed
   */
  static void check(String call, int answer) {
    if (answer == cudart.CUDA_SUCCESS) {
      return;
    }
    String text = "%s: %s".formatted(call, meaning(answer));
    if (LAST.contains(answer)) {
      throw new DeviceLostError(text);
    }
    throw new IllegalStateException(text);
  }

  /** The same for NVRTC. */
  static void checkNvrtc(String call, int answer) {
    if (answer != nvrtc.NVRTC_SUCCESS) {
      throw new IllegalStateException(
          "%s: %s".formatted(call, nvrtc.nvrtcGetErrorString(answer).getString()));
    }
  }

  /** The same for cuBLASLt. */
  static void checkCublas(String call, int answer) {
    if (answer != cublas.CUBLAS_STATUS_SUCCESS) {
      throw new IllegalStateException(
          "%s: %s, %s"
              .formatted(
                  call,
                  cublas.cublasLtGetStatusName(answer).getString(),
                  cublas.cublasLtGetStatusString(answer).getString()));
    }
  }

  private static String meaning(int answer) {
    try (PointerPointer<BytePointer> name = new PointerPointer<>(1);
        PointerPointer<BytePointer> text = new PointerPointer<>(1)) {
      if (cudart.cuGetErrorName(answer, name) != cudart.CUDA_SUCCESS
          || cudart.cuGetErrorString(answer, text) != cudart.CUDA_SUCCESS) {
        return "error " + answer;
      }
      return "%s, %s".formatted(name.getString(0), text.getString(0));
    }
  }

  /** Device memory, as the libraries that know no addresses take it. */
  static Pointer pointer(Memory memory) {
    return new Address(memory.address());
  }

  private static final class Address extends Pointer {
    Address(long value) {
      address = value;
    }
  }
}
