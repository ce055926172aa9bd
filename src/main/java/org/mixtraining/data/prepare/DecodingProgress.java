package org.mixtraining.data.prepare;

import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.apache.commons.lang3.concurrent.BasicThreadFactory;
import org.apache.spark.util.LongAccumulator;

/** Reporter of the number of decoded images, every few seconds if it has grown. */
final class DecodingProgress implements AutoCloseable {
  private static final int SECONDS = 5;

  private final LongAccumulator done;
  private final long images;
  private final Consumer<String> progress;
  private long told;
  private final ScheduledExecutorService clock =
      Executors.newSingleThreadScheduledExecutor(
          new BasicThreadFactory.Builder().namingPattern("decoding progress").daemon(true).build());

  DecodingProgress(LongAccumulator done, long images, Consumer<String> progress) {
    this.done = done;
    this.images = images;
    this.progress = progress;
    clock.scheduleAtFixedRate(
        () -> tell(Math.min(images, done.sum())), SECONDS, SECONDS, TimeUnit.SECONDS);
  }

  /**
   * Reports the end; the counter itself may be higher, since repeated tasks count their images
   * again.
   */
  void finish() {
    close();
    tell(images);
  }

  private synchronized void tell(long decoded) {
    if (decoded > told) {
      told = decoded;
      progress.accept("decoded %s of %s images".formatted(decoded, images));
    }
  }

  @Override
  public void close() {
    clock.shutdownNow();
  }
}
