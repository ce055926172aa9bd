package org.mixtraining.gpu;

import static org.bytedeco.cuda.global.cudart.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR;
import static org.bytedeco.cuda.global.cudart.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR;
import static org.bytedeco.cuda.global.cudart.CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import org.bytedeco.cuda.cudart.CUctx_st;
import org.bytedeco.cuda.global.cudart;
import org.mixtraining.config.UserException;

/**
 * An NVIDIA GPU of this process.
 *
 * @param context the primary one, which all threads share
 * @param capability 10 · major + minor
 * @param sharedBytes that a block of threads can have
 */
record CudaDevice(String name, CUctx_st context, int capability, int sharedBytes) {

  private static final Map<Integer, CudaDevice> OPEN = new HashMap<>();

  /**
   * The device at an index, opened on first use.
   *
   * @throws UserException if there is none, or it is older than the kernels
   */
  static synchronized CudaDevice at(int index) {
    return OPEN.computeIfAbsent(index, CudaDevice::open);
  }

  private static CudaDevice open(int index) {
    int[] device = new int[1];
    try {
      Cuda.check("cuInit", cudart.cuInit(0));
      Cuda.check(
          String.format(Locale.ROOT, "cuDeviceGet(%d)", index), cudart.cuDeviceGet(device, index));
    } catch (LinkageError | IllegalStateException e) {
      throw new UserException(
          String.format(
              Locale.ROOT,
              "mixtraining.workers.device = gpu: there is no GPU %d that CUDA 13 can use here (%s); install NVIDIA's driver and the CUDA 13 libraries, or set workers.device to cpu",
              index,
              e.getMessage()));
    }
    byte[] name = new byte[256];
    Cuda.check("cuDeviceGetName", cudart.cuDeviceGetName(name, name.length, device[0]));
    String text = new String(name, java.nio.charset.StandardCharsets.UTF_8).split("\0", 2)[0];
    int capability =
        10 * attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, device[0])
            + attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, device[0]);
    if (capability < 80) {
      throw new UserException(
          String.format(
              Locale.ROOT,
              "mixtraining.workers.device = gpu: %s has compute capability %d.%d, and this build needs 8.0 (Ampere) or more; use a build of mvn package -Pcuda there, or set workers.device to cpu",
              text,
              capability / 10,
              capability % 10));
    }
    CUctx_st context = new CUctx_st();
    Cuda.check("cuDevicePrimaryCtxRetain", cudart.cuDevicePrimaryCtxRetain(context, device[0]));
    int shared = attribute(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN, device[0]);
    return new CudaDevice(text, context, capability, shared);
  }

  private static int attribute(int attribute, int device) {
    int[] value = new int[1];
    Cuda.check("cuDeviceGetAttribute", cudart.cuDeviceGetAttribute(value, attribute, device));
    return value[0];
  }

  /** Makes the calling thread use it. */
  void bind() {
    Cuda.check("cuCtxSetCurrent", cudart.cuCtxSetCurrent(context));
  }
}
