package org.mixtraining.spark.exchange;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class PreferredLocationsTest {
  private static final List<String> A = List.of("executor_a_0");
  private static final List<String> B = List.of("executor_b_1");
  private static final List<String> NONE = List.of();

  @Test
  void workersKeepTheExecutorsThatTheyShareEvenly() {
    assertThat(PreferredLocations.shared(List.of(A, B, A), 2)).containsExactly(A, B, A);
    assertThat(PreferredLocations.shared(List.of(A, A, A), 1)).containsExactly(A, A, A);
  }

  @Test
  void workersThatCrowdOneExecutorAreFreeToLeaveIt() {
    assertThat(PreferredLocations.shared(List.of(A, A, A, A), 2)).containsExactly(A, A, NONE, NONE);
    assertThat(PreferredLocations.shared(List.of(A, A, NONE), 8)).containsExactly(A, NONE, NONE);
  }
}
