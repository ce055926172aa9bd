package org.mixtraining.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BenchCommandTest {

  private static Printed bench(String... more) {
    String small = "bench --model vit-nano --patch 8 --batch 4 --threads 2";
    return Printed.by(
        Stream.concat(Stream.of(small.split(" ")), Stream.of(more)).toArray(String[]::new));
  }

  @ParameterizedTest
  @CsvSource({"sl, cpu", "ssl, cpu", "joint, cpu", "joint, nd4j"})
  void theTimeOfAStepIsThatOfItsParts(String objective, String kernels) throws Exception {
    Printed printed =
        bench("--objective", objective, "--kernels", kernels, "--steps", "1", "--json");
    assertThat(printed.exitCode()).as(printed.err()).isZero();
    JsonNode result = printed.json();
    assertThat(result.get("kernel_calls").asLong()).isPositive();
    assertThat(result.get("nd4j_calls").asLong()).isPositive();
    double parts = seconds(result, "minibatch") + seconds(result, "outside_kernels");
    for (JsonNode kernel : result.get("kernel_seconds")) {
      parts += kernel.asDouble();
    }
    double all = seconds(result, "step") * result.get("threads").asInt();
    assertThat(parts).isCloseTo(all, withinPercentage(5));
  }

  private static double seconds(JsonNode result, String of) {
    return result.get(of + "_seconds").asDouble();
  }

  @Test
  void atLeastOneStepIsTimed() {
    Printed printed = bench("--steps", "0");
    assertThat(printed.exitCode()).isEqualTo(2);
    assertThat(printed.err()).contains("--steps 0: at least 1");
  }
}
