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
 * @param model for a person
 */
public record Processor(String vendor, String model) {

  static final Processor HERE = new Processor(read("vendor_id"), read("model name"));

  private static String read(String key) {
    try (var lines = Files.lines(Path.of("/proc/cpuinfo"))) {
      return lines
          .filter(line -> line.startsWith(key))
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .findFirst()
          .orElse("");
    } catch (IOException e) { // no Linux
      return "";
    }
  }

  /**
   * The precision of matrix products on this processor: bf16 or fp32.
   *
   * @throws UserException if bf16 is asked for, and it would be no quicker than float32
   */
  public static Precision precision(Precision asked) {
    boolean quick = OneDnn.bf16IsQuick();
    if (asked == Precision.BF16 && !quick) {
      throw new UserException(
          "mixtraining.workers.precision = bf16: this processor (%s) multiplies no more quickly in bf16 than in float32, for which it needs AMX, or AVX512_BF16 if it is AMD's; set fp32"
              .formatted(HERE.model.isEmpty() ? System.getProperty("os.arch") : HERE.model));
    }
    return quick && (asked == Precision.BF16 || asked == Precision.AUTO)
        ? Precision.BF16
        : Precision.FP32;
  }

  /** This processor, and the instruction sets of its large products, for a person. */
  public static String describe() {
    return "%s; products by oneDNN (%s, in bf16 %s)"
        .formatted(
            HERE.model.isEmpty() ? System.getProperty("os.arch") : HERE.model,
            OneDnn.instructions(Precision.FP32),
            OneDnn.instructions(Precision.BF16));
  }
}
