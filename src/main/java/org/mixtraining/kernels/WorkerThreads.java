package org.mixtraining.kernels;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.apache.commons.lang3.function.Failable;

/**
 * A fixed pool of threads, including the caller, that share the tasks of one parallel loop at a
 * time. Everything that is computed in parallel runs on such a pool: kernels, the images of a
 * minibatch, averages.
 *
 * <p>A loop needs no thread but its caller, who takes every task that no other thread has taken: it
 * also ends on a machine with one core or with no idle one. A training step has dozens of loops, a
 * millisecond or so each, so waiting threads spin for a moment before they sleep. They are daemons,
 * and end when this is closed.
 */
public final class WorkerThreads implements AutoCloseable {
  private static final long SPIN_NANOS = 50_000;

  private final List<Thread> helpers = new ArrayList<>();
  private volatile Loop current;
  private volatile boolean closed;

  /** The body of a parallel loop. */
  @FunctionalInterface
  public interface Task {
    /**
     * @param thread the one of these threads that runs it, from 0: for scratch memory of its own
     * @param index which piece it is, from 0
     */
    void run(int thread, int index);
  }

  /**
   * A pool of {@code size} threads, of which the caller of {@link #run} is one.
   *
   * @param size above 0
   */
  public WorkerThreads(int size) {
    if (size < 1) {
      throw new IllegalArgumentException("at least 1 thread computes, got %s".formatted(size));
    }
    for (int i = 1; i < size; i++) {
      int thread = i;
      Thread helper = new Thread(() -> help(thread), "worker-thread-" + i);
      helper.setDaemon(true);
      helpers.add(helper);
    }
    try {
      helpers.forEach(Thread::start);
    } catch (Throwable e) { // the machine grants no more
      close();
      throw e;
    }
  }

  /** A pool with one thread for each core that this process may use, for work that runs alone. */
  public static WorkerThreads ofAllCores() {
    return new WorkerThreads(Runtime.getRuntime().availableProcessors());
  }

  public int size() {
    return helpers.size() + 1;
  }

  /**
   * Runs the body for the indices 0 … tasks − 1, each once; which thread takes which task is not
   * fixed. Returns when all are done; the first exception is thrown to the caller after the others
   * have stopped, and tasks not yet begun are left out.
   */
  public void run(int tasks, Task body) {
    if (closed) {
      throw new IllegalStateException("this thread pool is closed");
    }
    Loop loop = new Loop(tasks, body);
    if (tasks > 1) {
      current = loop;
      helpers.stream().limit(tasks - 1L).forEach(LockSupport::unpark);
    }
    loop.work(0);
    await(loop::done);
    current = null;
    loop.rethrow();
  }

  /** A part of a loop: indices from (inclusive) to (exclusive). */
  @FunctionalInterface
  public interface Slice {
    void run(int from, int to);
  }

  /** {@linkplain #run Runs} the body for 0 … n − 1 in slices, each of so many but the last. */
  public void slices(int n, int size, Slice body) {
    run(
        (n + size - 1) / size,
        (thread, slice) -> body.run(slice * size, Math.min(n, (slice + 1) * size)));
  }

  private void help(int thread) {
    Loop last = null;
    while (!closed) {
      Loop seen = last;
      await(() -> closed || (current != null && current != seen));
      Loop next = current;
      if (next != null) {
        next.work(thread);
        last = next;
      }
    }
  }

  /** Spins, then sleeps until unparked, until the condition holds. */
  private static void await(BooleanSupplier condition) {
    long start = System.nanoTime();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - start < SPIN_NANOS) {
        Thread.onSpinWait();
      } else {
        LockSupport.park();
      }
    }
  }

  /** Ends the threads. */
  @Override
  public void close() {
    closed = true;
    helpers.forEach(LockSupport::unpark);
    try {
      for (Thread helper : helpers) {
        helper.join();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** One loop: threads take its tasks one after another until none is left. */
  private static final class Loop {
    private final int tasks;
    private final Task body;
    private final Thread caller = Thread.currentThread();
    private final AtomicInteger next = new AtomicInteger();
    private final AtomicInteger unfinished;
    private final AtomicReference<Throwable> failure = new AtomicReference<>();

    Loop(int tasks, Task body) {
      this.tasks = tasks;
      this.body = body;
      this.unfinished = new AtomicInteger(tasks);
    }

    void work(int thread) {
      for (int task = next.getAndIncrement(); task < tasks; task = next.getAndIncrement()) {
        if (failure.get() == null) {
          attempt(thread, task);
        }
        if (unfinished.decrementAndGet() == 0) {
          LockSupport.unpark(caller);
        }
      }
    }

    private void attempt(int thread, int task) {
      try {
        body.run(thread, task);
      } catch (Throwable e) {
        failure.compareAndSet(null, e);
      }
    }

    boolean done() {
      return unfinished.get() <= 0;
    }

    void rethrow() {
      Throwable thrown = failure.get();
      if (thrown != null) {
        throw Failable.rethrow(thrown);
      }
    }
  }
}
