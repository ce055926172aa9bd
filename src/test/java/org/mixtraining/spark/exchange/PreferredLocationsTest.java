package org.mixtraining.spark.exchange;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class PreferredLocationsTest {
  private static final List<String> A = List.of("executor_host_a");
  private static final List<String> B = List.of("executor_host_b");
  private static final List<String> NONE = List.of();

  /** Of workers that ran on these executors, one after the other; null: on none yet. */
  private static PreferredLocations ranAt(String... executors) {
    PreferredLocations locations = new PreferredLocations(executors.length);
    for (int i = 0; i < executors.length; i++) {
      if (executors[i] != null) {
        locations.ranAt(i, "host", executors[i]);
      }
    }
    return locations;
  }

  @Test
  void workersKeepTheExecutorsThatTheyShareEvenly() {
    assertThat(ranAt("a", "b", "a").shared(2)).containsExactly(A, B, A);
    assertThat(ranAt("a", "a", "a").shared(1)).containsExactly(A, A, A);
  }

  @Test
  void workersThatCrowdOneExecutorAreFreeToLeaveIt() {
    assertThat(ranAt("a", "a", "a", "a").shared(2)).containsExactly(A, A, NONE, NONE);
    assertThat(ranAt("a", "a", null).shared(8)).containsExactly(A, NONE, NONE);
  }

  /** Worker 0 lost its executor and went to worker 1's, which lost nothing and so need not move. */
  @Test
  void whoCameLastLeavesFirst() {
    PreferredLocations locations = ranAt("a", "b");
    locations.ranAt(0, "host", "b");
    locations.ranAt(1, "host", "b");

    assertThat(locations.shared(1)).containsExactly(B, B);
    assertThat(locations.shared(2)).containsExactly(NONE, B);
  }
}
