package org.mixtraining.run;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Supplier;
import org.apache.commons.lang3.concurrent.BasicThreadFactory;

/**
 * Gives epochs to another sink in a thread of its own, so that one is written while the next one
 * trains. There is never more than one on its way: the next waits for it, and where it failed,
 * throws why. Nothing that the sink uses may be touched before {@link #await}.
 */
public final class WrittenBeside implements EpochSink, AutoCloseable {
  private final EpochSink sink;
  private final ExecutorService thread =
      Executors.newSingleThreadExecutor(
          new BasicThreadFactory.Builder().namingPattern("epoch-writer").daemon(true).build());
  private CompletableFuture<Void> written = CompletableFuture.completedFuture(null);

  public WrittenBeside(EpochSink sink) {
    this.sink = sink;
  }

  @Override
  public void write(EpochOutcome outcome) {
    await();
    CompletableFuture<Void> next = new CompletableFuture<>();
    thread.execute(
        () -> {
          try {
            sink.write(outcome);
            next.complete(null);
          } catch (RuntimeException | Error e) {
            next.completeExceptionally(e);
          }
        });
    written = next;
  }

  /** Waits until the sink has taken the last epoch, and throws what it threw; but once only. */
  public void await() {
    CompletableFuture<Void> last = written;
    try {
      last.join();
    } catch (CompletionException e) {
      written = CompletableFuture.completedFuture(null);
      if (e.getCause() instanceof Error error) {
        throw error;
      }
      throw (RuntimeException) e.getCause(); // a sink declares no other
    }
  }

  /** Does what gives epochs, and waits until the sink has taken them all, also if that fails. */
  public <T> T all(Supplier<T> work) {
    T done;
    try {
      done = work.get();
    } catch (Throwable e) { // whatever it is, it is thrown on
      try {
        await();
      } catch (RuntimeException | Error also) {
        e.addSuppressed(also);
      }
      throw e;
    }
    await();
    return done;
  }

  @Override
  public void close() {
    thread.shutdown();
  }
}
