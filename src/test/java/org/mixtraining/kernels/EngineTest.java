package org.mixtraining.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.bytedeco.openblas.global.openblas.blas_get_num_threads;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class EngineTest {

  @Test
  void everyTaskRunsOnceHoweverManyThereAre() {
    for (int threads : new int[] {1, 2, 5}) {
      try (Engine engine = Engine.cpu(threads)) {
        assertThat(engine.threads()).isEqualTo(threads);
        for (int tasks : new int[] {0, 1, 2, 3, 100}) {
          for (int repeat = 0; repeat < 200; repeat++) {
            var runs = new AtomicIntegerArray(Math.max(tasks, 1));
            engine.parallel(tasks, (thread, task) -> runs.incrementAndGet(task));
            for (int task = 0; task < tasks; task++) {
              assertThat(runs.get(task)).isEqualTo(1);
            }
          }
        }
      }
    }
  }

  @Test
  void tasksRunAtTheSameTimeTheCallerAmongThem() {
    try (Engine engine = Engine.cpu(3)) {
      var together = new CyclicBarrier(3);
      Set<Thread> threads = ConcurrentHashMap.newKeySet();
      engine.parallel(
          3,
          (thread, task) -> {
            threads.add(Thread.currentThread());
            meet(together);
          });
      assertThat(threads).hasSize(3).contains(Thread.currentThread());
    }
  }

  private static void meet(CyclicBarrier barrier) {
    try {
      barrier.await(20, TimeUnit.SECONDS);
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void sleepingThreadsWakeUpForTheNextLoop() {
    try (Engine engine = Engine.cpu(2)) {
      for (int i = 0; i < 5; i++) {
        LockSupport.parkNanos(Duration.ofMillis(5).toNanos());
        var both = new CyclicBarrier(2);
        engine.parallel(2, (thread, task) -> meet(both));
      }
    }
  }

  @Test
  void whatTasksWroteIsSeenByTheCaller() {
    try (Engine engine = Engine.cpu(4)) {
      for (int repeat = 0; repeat < 500; repeat++) {
        int[] written = new int[16];
        engine.parallel(16, (thread, task) -> written[task] = task + 1);
        assertThat(written).doesNotContain(0);
      }
    }
  }

  @Test
  void anExceptionReachesTheCallerAfterTheOthersStoppedAndTheEngineStaysUsable() {
    try (Engine engine = Engine.cpu(3)) {
      for (int failing = 0; failing < 20; failing++) {
        int bad = failing;
        var running = new AtomicInteger();
        assertThatThrownBy(
                () ->
                    engine.parallel(
                        20,
                        (thread, task) -> {
                          running.incrementAndGet();
                          try {
                            if (task == bad) {
                              throw new IllegalStateException("task " + bad);
                            }
                          } finally {
                            running.decrementAndGet();
                          }
                        }))
            .isInstanceOf(IllegalStateException.class)
            .hasMessage("task " + bad);
        assertThat(running).hasValue(0);
      }
      var runs = new AtomicInteger();
      engine.parallel(50, (thread, task) -> runs.incrementAndGet());
      assertThat(runs).hasValue(50);
    }
  }

  /** Spark interrupts the threads of tasks that it kills, if it is told to. */
  @Test
  void anInterruptedCallerFinishesItsLoopAndStaysInterrupted() {
    try (Engine engine = Engine.cpu(3)) {
      var runs = new AtomicInteger();
      Thread.currentThread().interrupt();
      engine.parallel(
          20,
          (thread, task) -> {
            LockSupport.parkNanos(Duration.ofMillis(1).toNanos());
            runs.incrementAndGet();
          });
      assertThat(Thread.interrupted()).isTrue();
      assertThat(runs).hasValue(20);
    }
  }

  /** As on a machine so busy, or so small, that none of the others comes to run. */
  @Test
  void theCallerAloneEndsALoopWhoseOtherThreadsNeverRun() {
    try (Engine engine = Engine.cpu(3)) {
      var begun = new CyclicBarrier(3);
      var free = new CountDownLatch(1);
      Thread outer =
          new Thread(
              () ->
                  engine.parallel(
                      3,
                      (thread, task) -> {
                        meet(begun);
                        if (thread == 0) {
                          var runs = new AtomicInteger();
                          engine.parallel(50, (t, inner) -> runs.incrementAndGet());
                          assertThat(runs).hasValue(50);
                          free.countDown();
                        } else {
                          await(free);
                        }
                      }));
      outer.start();
      await(free);
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(20, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void errorsAreThrownAsTheyAre() {
    try (Engine engine = Engine.cpu(2)) {
      assertThatThrownBy(
              () ->
                  engine.parallel(
                      4,
                      (thread, task) -> {
                        throw new OutOfMemoryError("no room");
                      }))
          .isInstanceOf(OutOfMemoryError.class)
          .hasMessage("no room");
    }
  }

  @Test
  void closingStopsTheThreads() {
    Set<Thread> threads = ConcurrentHashMap.newKeySet();
    Engine engine = Engine.cpu(3);
    var together = new CyclicBarrier(3);
    engine.parallel(
        3,
        (thread, task) -> {
          threads.add(Thread.currentThread());
          meet(together);
        });
    engine.close();
    engine.close();
    threads.remove(Thread.currentThread());
    assertThat(threads).hasSize(2).noneMatch(Thread::isAlive);
    assertThatIllegalStateException()
        .isThrownBy(() -> engine.parallel(2, (thread, task) -> {}))
        .withMessage("this thread pool is closed");
  }

  @Test
  void theCpuEngineLeavesOneThreadToBlas() {
    try (Engine engine = Engine.cpu(1)) {
      assertThat(engine.kernels().name()).isEqualTo("cpu");
      assertThat(blas_get_num_threads()).isEqualTo(1);
    }
  }

  @Test
  void theNd4jEngineRunsInTheCallersThread() {
    try (Engine engine = Engine.nd4j()) {
      assertThat(engine.kernels().name()).isEqualTo("nd4j");
      assertThat(engine.threads()).isEqualTo(1);
      engine.parallel(
          3,
          (thread, task) ->
              assertThat(Thread.currentThread().getName()).doesNotStartWith("worker-thread-"));
    }
  }

  @Test
  void anEngineWithoutThreadsIsRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Engine.cpu(0))
        .withMessage("at least 1 thread computes, got 0");
  }
}
