package org.mixtraining.data;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.mixtraining.data.images.ImageDecoder;

/**
 * Ids, labels and the like of the images of an {@link ImageSet}: all but their pixels.
 *
 * @param ids n ascending image ids
 * @param labels n class indices
 * @param quantiles n positions in the seeded order of the image's class, in (0, 1)
 * @param groups n numbers of the row groups that they lie in, among those of the set
 */
record ImageIndex(
    long[] ids,
    int[] labels,
    double[] quantiles,
    int[] groups,
    int channels,
    int height,
    int width) {

  /** What a shard says of an image. */
  record Entry(long id, int label, double quantile, int group) {}

  static ImageIndex of(List<Entry> entries, int channels, int height, int width) {
    var sorted = entries.stream().sorted(Comparator.comparingLong(Entry::id)).toList();
    return new ImageIndex(
        sorted.stream().mapToLong(Entry::id).toArray(),
        sorted.stream().mapToInt(Entry::label).toArray(),
        sorted.stream().mapToDouble(Entry::quantile).toArray(),
        sorted.stream().mapToInt(Entry::group).toArray(),
        channels,
        height,
        width);
  }

  int size() {
    return ids.length;
  }

  int imageBytes() {
    return channels * height * width;
  }

  /** The index of an id; negative if there is none. */
  int at(long id) {
    return Arrays.binarySearch(ids, id);
  }

  /** The pixels of the image at an index, of its file. */
  byte[] decoded(int i, byte[] file) {
    return new ImageDecoder(height, Integer.MAX_VALUE).pixels("image " + ids[i], file, channels);
  }

  /** The pixels of the image at an index, if they are as many as an image has. */
  ByteBuffer checked(int i, ByteBuffer pixels) {
    if (pixels.remaining() != imageBytes()) {
      throw new IllegalArgumentException(
          "image %s has %s bytes, expected %s".formatted(ids[i], pixels.remaining(), imageBytes()));
    }
    return pixels;
  }

  /** Images by row group. */
  int[] sizes(int count) {
    var sizes = new int[count];
    for (int group : groups) {
      sizes[group]++;
    }
    return sizes;
  }
}
