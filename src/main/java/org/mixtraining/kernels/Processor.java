package org.mixtraining.kernels;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.mixtraining.config.UserException;
import org.mixtraining.config.WorkersConfig.Precision;

/**
 * The processor of this machine, as Linux names it.
 *
 * @param vendor for instance AuthenticAMD; empty where it is unknown
 * @param model for a person; the architecture where Linux names none
 */
public record Processor(String vendor, String model) {

  static final Processor HERE =
      new Processor(read("vendor_id", ""), read("model name", System.getProperty("os.arch")));

  private static String read(String key, String otherwise) {
    try (var lines = Files.lines(Path.of("/proc/cpuinfo"))) {
      return lines
          .filter(line -> line.startsWith(key))
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .findFirst()
          .filter(value -> !value.isEmpty())
          .orElse(otherwise);
    } catch (IOException e) { // no Linux
      return otherwise;
    }
  }

  /**
   * The precision of matrix products on this processor: bf16 or fp32.
   *
   * @throws UserException if bf16 is asked for, and it would be no quicker than float32
   */
  public static Precision precision(Precision asked) {
    boolean wanted = asked == Precision.BF16 || asked == Precision.AUTO;
    if (wanted && OneDnn.bf16IsQuick()) {
      return Precision.BF16;
    }
    if (asked == Precision.BF16) {
      throw new UserException(
          "mixtraining.workers.precision = bf16: this processor (%s) is no faster in bf16 than in float32; that takes AMX, or AVX512_BF16 on an AMD processor; set auto or fp32"
              .formatted(HERE.model));
    }
    return Precision.FP32;
  }

  /** This processor, and the instruction sets of its large products, for a person. */
  public static String describe() {
    return "%s; products by oneDNN (%s, in bf16 %s)"
        .formatted(
            HERE.model, OneDnn.instructions(Precision.FP32), OneDnn.instructions(Precision.BF16));
  }
}
