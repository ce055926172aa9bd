package org.mixtraining.kernels;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * Daemon threads that share the tasks of one loop at a time with its caller. A training step has
 * dozens of such loops, a millisecond or so each, so waiting threads spin for a moment before they
 * sleep.
 */
final class Crew implements AutoCloseable {
  private static final long SPIN_NANOS = 50_000;

  private final List<Thread> helpers = new ArrayList<>();
  private volatile Loop current;
  private volatile boolean closed;

  /** A crew of {@code size} threads, the caller of {@link #run} being one. */
  Crew(int size) {
    for (int i = 1; i < size; i++) {
      int thread = i;
      Thread helper = new Thread(() -> help(thread), "kernels-" + i);
      helper.setDaemon(true);
      helpers.add(helper);
    }
    helpers.forEach(Thread::start);
  }

  int size() {
    return helpers.size() + 1;
  }

  void run(int tasks, Engine.Task body) {
    if (closed) {
      throw new IllegalStateException("the engine is closed");
    }
    Loop loop = new Loop(tasks, body, Thread.currentThread());
    if (tasks > 1) {
      current = loop;
      helpers.stream().limit(tasks - 1L).forEach(LockSupport::unpark);
    }
    loop.work(0);
    await(loop::done);
    current = null;
    loop.rethrow();
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
    private final Engine.Task body;
    private final Thread caller;
    private final AtomicInteger next = new AtomicInteger();
    private final AtomicInteger unfinished;
    private final AtomicReference<Throwable> failure = new AtomicReference<>();

    Loop(int tasks, Engine.Task body, Thread caller) {
      this.tasks = tasks;
      this.body = body;
      this.caller = caller;
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
      if (thrown instanceof Error error) {
        throw error;
      }
      if (thrown instanceof RuntimeException exception) {
        throw exception;
      }
      if (thrown != null) {
        throw new IllegalStateException(thrown);
      }
    }
  }
}
