package org.mixtraining.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.apache.commons.lang3.function.Failable;
import org.junit.jupiter.api.Test;

class WrittenBesideTest {
  private final List<String> log = Collections.synchronizedList(new ArrayList<>());

  private static EpochOutcome epoch(double seconds) {
    return new EpochOutcome(null, null, List.of(), null, 0, EpochScores.NONE, 0, seconds);
  }

  @Test
  void anEpochTrainsWhileTheOneBeforeIsWrittenAndTheNextWaitsForThat() {
    CountDownLatch trained = new CountDownLatch(1);
    EpochSink slow =
        epoch -> {
          Failable.run(trained::await);
          log.add("written " + epoch.seconds());
        };
    try (WrittenBeside beside = new WrittenBeside(slow)) {
      beside.write(epoch(1));
      log.add("trained 2");
      trained.countDown();
      beside.write(epoch(2));
      assertThat(log).startsWith("trained 2", "written 1.0");

      beside.await();
      assertThat(log).containsExactly("trained 2", "written 1.0", "written 2.0");
    }
  }

  @Test
  void whatCannotBeWrittenEndsTheRunBeforeAnotherEpochIsWritten() {
    EpochSink full =
        epoch -> {
          log.add("written " + epoch.seconds());
          throw new IllegalStateException("disk full");
        };
    try (WrittenBeside beside = new WrittenBeside(full)) {
      beside.write(epoch(1));

      assertThatThrownBy(() -> beside.write(epoch(2)))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("disk full");
      beside.await();
      assertThat(log).containsExactly("written 1.0");
    }
  }

  @Test
  void anErrorStaysOneAndIsToldBesideAnotherFailure() {
    EpochSink broken =
        epoch -> {
          throw new StackOverflowError();
        };
    try (WrittenBeside beside = new WrittenBeside(broken)) {
      beside.write(epoch(1));
      assertThatThrownBy(beside::await).isInstanceOf(StackOverflowError.class);

      beside.write(epoch(2));
      assertThatThrownBy(
              () ->
                  beside.all(
                      () -> {
                        throw new IllegalStateException("executor lost");
                      }))
          .hasMessage("executor lost")
          .satisfies(e -> assertThat(e.getSuppressed()).hasSize(1));
    }
  }
}
