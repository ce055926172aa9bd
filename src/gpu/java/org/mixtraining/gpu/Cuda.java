package org.mixtraining.gpu;

import org.bytedeco.cuda.global.cublas;
import org.bytedeco.cuda.global.cudart;
import org.bytedeco.cuda.global.nvrtc;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;

/** Answers of CUDA's libraries. */
final class Cuda {

  private Cuda() {}

  /**
   * @param call whose answer it is
   * @throws IllegalStateException unless it is a success: with the call and what its answer means
   */
  static void check(String call, int answer) {
    if (answer != cudart.CUDA_SUCCESS) {
      throw new IllegalStateException("%s: %s".formatted(call, meaning(answer)));
    }
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
