package org.mixtraining.kernels;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.SortedSet;
import java.util.TreeSet;
import org.nd4j.jita.conf.CudaEnvironment;
import org.nd4j.linalg.factory.Nd4j;

/** ND4J's CUDA 11.6 library, which the Maven profile {@code cuda} adds to the job. */
public final class Nd4jCuda implements Accelerator {

  /** Those that this process computes on. */
  private static final SortedSet<Integer> IN_USE = new TreeSet<>();

  @Override
  public String name() {
    return "cuda";
  }

  @Override
  public void bind(String address) {
    int index = Integer.parseInt(address);
    synchronized (IN_USE) {
      if (IN_USE.add(index)) {
        // By nvidia-smi, which needs nothing of the library that may not run here.
        ComputeCapability.parse(ask(address)).checkNd4jCuda();
        int[] devices = IN_USE.stream().mapToInt(i -> i).toArray();
        CudaEnvironment.getInstance().getConfiguration().useDevices(devices);
      }
    }
    Nd4j.getAffinityManager().unsafeSetDevice(index);
  }

  @Override
  public boolean holdsEveryArray() {
    return true;
  }

  @Override
  public Engine engine() {
    return Engine.nd4j();
  }

  private static String ask(String address) {
    try {
      Process process =
          new ProcessBuilder(
                  "nvidia-smi",
                  "--query-gpu=compute_cap,name",
                  "--format=csv,noheader",
                  "--id=" + address)
              .redirectErrorStream(true)
              .start();
      return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    } catch (IOException e) {
      throw new UncheckedIOException("nvidia-smi cannot be asked about GPU " + address, e);
    }
  }
}
