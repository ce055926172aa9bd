package org.mixtraining.kernels;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.mixtraining.config.UserException;

/**
 * The CUDA compute capability of a GPU, as {@code nvidia-smi --query-gpu=compute_cap,name
 * --format=csv} prints it.
 *
 * @param device its name
 */
record ComputeCapability(int major, int minor, String device) {

  private static final Pattern LINE = Pattern.compile("\\s*(\\d+)\\.(\\d+)\\s*,\\s*(.+?)\\s*");

  /**
   * @throws IllegalArgumentException if this is not such a line
   */
  static ComputeCapability parse(String line) {
    Matcher match = LINE.matcher(line);
    if (!match.matches()) {
      throw new IllegalArgumentException("not a line of nvidia-smi: " + line);
    }
    return new ComputeCapability(
        Integer.parseInt(match.group(1)), Integer.parseInt(match.group(2)), match.group(3));
  }

  /**
   * nd4j-cuda-11.6 holds machine code for 3.7 to 8.6, which 8.9 runs too, and none that a driver
   * could translate for anything newer: there the first operation would fail.
   *
   * @throws UserException if it cannot run on this device
   */
  void checkNd4jCuda() {
    int capability = 10 * major + minor;
    if (capability < 37 || major > 8) {
      throw new UserException(
          "mixtraining.workers.device = gpu: %s has compute capability %s.%s, and ND4J's CUDA 11.6 library runs on 3.7 to 8.9 (Kepler K80 to Ada) only; use such a GPU, %sor set mixtraining.workers.device to cpu"
              .formatted(
                  device,
                  major,
                  minor,
                  major > 8 ? "or a build for newer ones (mvn package -Pgpu), " : ""));
    }
  }
}
