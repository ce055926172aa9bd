package org.mixtraining.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.mixtraining.config.DataConfig;

class ImageCacheTest {

  private final AtomicInteger reads = new AtomicInteger();

  private ImageSet read() {
    reads.incrementAndGet();
    return images(2);
  }

  @Test
  void imagesAreReadOnceWhileThereIsMemory() {
    ImageSet first = ImageCache.get(key("/once", "f", 1), this::read);

    assertThat(ImageCache.get(key("/once", "f", 1), this::read)).isSameAs(first);
    assertThat(reads).hasValue(1);
  }

  @Test
  void otherShardsFractionsAndContentsAreOtherImages() {
    ImageCache.get(key("/other", "f", 1), this::read);
    ImageCache.get(key("/other", "f", 0.5), this::read);
    ImageCache.get(key("/other", "g", 1), this::read);
    ImageCache.get(key("/other", "f", Split.TRAIN, 1, 1), this::read);
    ImageCache.get(key("/other", "f", Split.TEST, 0, 1), this::read);

    assertThat(reads).hasValue(5);
  }

  @Test
  void aFailedReadIsTriedAgain() {
    assertThatThrownBy(
            () ->
                ImageCache.get(
                    key("/failing", "f", 1),
                    () -> {
                      throw new UncheckedIOException(new IOException("gone"));
                    }))
        .hasMessageContaining("gone");

    assertThat(ImageCache.get(key("/failing", "f", 1), this::read).size()).isEqualTo(2);
  }

  @Test
  void whereMemoryEndsTheCacheMakesRoom() {
    ImageSet kept = ImageCache.get(key("/kept", "f", 1), this::read);
    AtomicInteger attempts = new AtomicInteger();

    ImageSet wanted =
        ImageCache.get(
            key("/wanted", "f", 1),
            () -> {
              if (attempts.incrementAndGet() == 1) {
                throw new OutOfMemoryError("Cannot reserve direct buffer memory");
              }
              return images(3);
            });

    assertThat(wanted.size()).isEqualTo(3);
    assertThat(ImageCache.get(key("/kept", "f", 1), this::read)).isNotSameAs(kept);
  }

  @Test
  void imagesThatDoNotFitAtAllAreAnError() {
    assertThatThrownBy(
            () ->
                ImageCache.get(
                    key("/too-large", "f", 1),
                    () -> {
                      throw new OutOfMemoryError("Cannot reserve direct buffer memory");
                    }))
        .isInstanceOf(OutOfMemoryError.class);
  }

  private static ImageCache.Key key(String path, String fingerprint, double fraction) {
    return key(path, fingerprint, Split.TRAIN, 0, fraction);
  }

  private static ImageCache.Key key(
      String path, String fingerprint, Split split, int shard, double fraction) {
    return new ImageCache.Key(
        path, fingerprint, split, List.of(shard), fraction, DataConfig.Caching.MEMORY, 0);
  }

  private static ImageSet images(int n) {
    return ImageSet.of(new long[n], new int[n], new double[n], new byte[n][64], 1, 8, 8);
  }
}
