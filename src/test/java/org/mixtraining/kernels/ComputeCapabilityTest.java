package org.mixtraining.kernels;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mixtraining.config.UserException;

class ComputeCapabilityTest {

  @ParameterizedTest
  @ValueSource(
      strings = {
        "3.7, Tesla K80",
        "7.0, Tesla V100",
        "8.0, NVIDIA A100-SXM4-40GB",
        "8.9, NVIDIA L4"
      })
  void gpusUpToAdaRunIt(String line) {
    assertThatCode(() -> ComputeCapability.parse(line).checkNd4jCuda()).doesNotThrowAnyException();
  }

  @Test
  void aNewerGpuThanTheLibraryIsNamedWithWhatToUseInstead() {
    assertThatThrownBy(() -> ComputeCapability.parse("9.0, NVIDIA H200").checkNd4jCuda())
        .isInstanceOf(UserException.class)
        .hasMessageContaining("NVIDIA H200 has compute capability 9.0")
        .hasMessageContaining("runs on 3.7 to 8.9")
        .hasMessageContaining("or a build for newer ones (mvn package -Pgpu)");
    assertThatThrownBy(() -> ComputeCapability.parse("10.0, NVIDIA B200").checkNd4jCuda())
        .isInstanceOf(UserException.class);
    assertThatThrownBy(() -> ComputeCapability.parse("3.5, Tesla K40").checkNd4jCuda())
        .isInstanceOf(UserException.class);
  }

  @Test
  void whatIsNoLineOfNvidiaSmiIsShown() {
    assertThatThrownBy(() -> ComputeCapability.parse("No devices were found"))
        .hasMessageContaining("No devices were found");
  }
}
