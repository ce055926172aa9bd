package org.mixtraining.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Iterator;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.mixtraining.data.ImageSet;
import org.mixtraining.data.Split;

class ImageCacheTest {

  @Test
  void aSetIsReadOnce() {
    ImageSet images = images();

    assertThat(ImageCache.get(key("read once"), () -> images)).isSameAs(images);
    assertThat(ImageCache.get(key("read once"), ImageCacheTest::never)).isSameAs(images);
  }

  @Test
  void anotherFractionOrContentIsAnotherSet() {
    ImageSet whole = images();
    ImageSet half = images();
    ImageSet anew = images();

    ImageCache.get(key("content"), () -> whole);

    var halfKey = new ImageCache.Key("path", "content", Split.TRAIN, List.of(0), 0.5);
    assertThat(ImageCache.get(halfKey, () -> half)).isSameAs(half);
    assertThat(ImageCache.get(key("other content"), () -> anew)).isSameAs(anew);
    assertThat(ImageCache.get(key("content"), ImageCacheTest::never)).isSameAs(whole);
  }

  @Test
  void whereMemoryEndsTheCacheMakesRoom() {
    ImageSet kept = images();
    ImageSet wanted = images();
    ImageSet again = images();
    ImageCache.get(key("kept"), () -> kept);

    assertThat(ImageCache.get(key("wanted"), failingOnce(wanted))).isSameAs(wanted);

    assertThat(ImageCache.get(key("kept"), () -> again)).isSameAs(again);
  }

  @Test
  void aSetThatDoesNotFitAtAllIsAnError() {
    assertThatThrownBy(
            () ->
                ImageCache.get(
                    key("too large"),
                    () -> {
                      throw new OutOfMemoryError("Cannot reserve direct buffer memory");
                    }))
        .isInstanceOf(OutOfMemoryError.class);
  }

  private static Supplier<ImageSet> failingOnce(ImageSet images) {
    Iterator<Supplier<ImageSet>> attempts =
        List.<Supplier<ImageSet>>of(
                () -> {
                  throw new OutOfMemoryError("Cannot reserve direct buffer memory");
                },
                () -> images)
            .iterator();
    return () -> attempts.next().get();
  }

  private static ImageSet never() {
    throw new AssertionError("read a second time");
  }

  private static ImageCache.Key key(String fingerprint) {
    return new ImageCache.Key("path", fingerprint, Split.TRAIN, List.of(0), 1);
  }

  private static ImageSet images() {
    return ImageSet.of(
        new long[] {1}, new int[] {0}, new double[] {0.5}, new byte[][] {{1, 2, 3}}, 3, 1, 1);
  }
}
