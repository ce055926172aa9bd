package org.mixtraining.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.apache.commons.lang3.function.Failable;
import org.junit.jupiter.api.Test;

class StallWatchTest {
  private final CountDownLatch exited = new CountDownLatch(1);

  private StallWatch watch(Duration limit, Duration grace) {
    return new StallWatch("worker 3", limit, grace, exited::countDown);
  }

  @Test
  void aWorkerThatWaitsForEverFailsWithItsReason() {
    CountDownLatch never = new CountDownLatch(1);
    StallWatch watch = watch(Duration.ofMillis(50), Duration.ofHours(1));

    assertThatThrownBy(() -> watch.during(() -> waitFor(never)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageMatching(
            "worker 3 has made no progress for 0 s \\(mixtraining.workers.stall-minutes\\)")
        .hasRootCauseInstanceOf(InterruptedException.class);
    assertThat(Thread.currentThread().isInterrupted()).isFalse();
    assertThat(exited.getCount()).isOne();
  }

  private static String waitFor(CountDownLatch latch) {
    Failable.run(latch::await);
    return "done";
  }

  /** As in a kernel of a GPU that never ends. */
  @Test
  void ofOneThatHearsOfNoInterruptionTheProcessEnds() {
    StallWatch watch = watch(Duration.ofMillis(50), Duration.ofMillis(50));

    String result =
        watch.during(
            () -> {
              while (exited.getCount() > 0) {
                Thread.onSpinWait();
              }
              return "done";
            });
    assertThat(result).isEqualTo("done");
  }

  @Test
  void oneThatMakesProgressIsLeftAlone() {
    StallWatch watch = watch(Duration.ofSeconds(2), Duration.ofMillis(1));

    watch.during(
        () -> {
          for (int step = 0; step < 30; step++) {
            Failable.run(() -> Thread.sleep(100));
            watch.progress();
          }
          return "done";
        });
    assertThat(exited.getCount()).isOne();
  }
}
