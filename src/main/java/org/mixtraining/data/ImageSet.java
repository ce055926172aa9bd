package org.mixtraining.data;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.stream.Stream;

/**
 * Images held as uint8 outside the Java heap, in order of their ids. It is filled once and then
 * read by any number of threads; its memory (counted by {@code -XX:MaxDirectMemorySize}, by default
 * as large as the heap) goes when the set is garbage.
 */
public final class ImageSet {
  private static final int CHUNK_BYTES = 1 << 28;

  private final long[] ids;
  private final int[] labels;
  private final double[] quantiles;
  private final int channels;
  private final int height;
  private final int width;
  private final int imagesPerChunk;
  private final ByteBuffer[] chunks; // one buffer ends at 2 GB

  /** A set of black images, to be {@link #put}. The arrays are parallel, in order of the ids. */
  ImageSet(long[] ids, int[] labels, double[] quantiles, int channels, int height, int width) {
    this.ids = ids;
    this.labels = labels;
    this.quantiles = quantiles;
    this.channels = channels;
    this.height = height;
    this.width = width;
    this.imagesPerChunk = Math.max(1, CHUNK_BYTES / imageBytes());
    this.chunks = new ByteBuffer[(ids.length + imagesPerChunk - 1) / imagesPerChunk];
    for (int chunk = 0; chunk < chunks.length; chunk++) {
      int images = Math.min(imagesPerChunk, ids.length - chunk * imagesPerChunk);
      chunks[chunk] = ByteBuffer.allocateDirect(images * imageBytes());
    }
  }

  /**
   * A set of the given images.
   *
   * @param ids n ascending image ids
   * @param labels n class indices, or {@link Minibatch#UNLABELLED}
   * @param quantiles n positions in the seeded order of the image's class, in (0, 1)
   * @param pixels [n][channels · height · width], planar
   */
  public static ImageSet of(
      long[] ids,
      int[] labels,
      double[] quantiles,
      byte[][] pixels,
      int channels,
      int height,
      int width) {
    var set = new ImageSet(ids.clone(), labels.clone(), quantiles.clone(), channels, height, width);
    for (int i = 0; i < pixels.length; i++) {
      set.put(i, ByteBuffer.wrap(pixels[i]));
    }
    return set;
  }

  /** Sets image {@code i} to the remaining {@link #imageBytes} bytes of {@code pixels}. */
  void put(int i, ByteBuffer pixels) {
    if (pixels.remaining() != imageBytes()) {
      throw new IllegalArgumentException(
          "image %s has %s bytes, expected %s".formatted(ids[i], pixels.remaining(), imageBytes()));
    }
    chunks[i / imagesPerChunk].put(offset(i), pixels, pixels.position(), imageBytes());
  }

  /** Number of images. */
  public int size() {
    return ids.length;
  }

  /** Id of the image at index {@code i}; ids ascend. */
  public long id(int i) {
    return ids[i];
  }

  /** Class index of the image at index {@code i}; {@link Minibatch#UNLABELLED} if it has none. */
  public int label(int i) {
    return labels[i];
  }

  /** Whether it has a label that a run may use, of a share of them. */
  boolean isLabelled(int i, double share) {
    return labels[i] >= 0 && quantiles[i] < share;
  }

  /**
   * Position of the image in the seeded order of its class, in (0, 1): a share f of the images, or
   * of the labels, is those with a quantile below f.
   */
  public double quantile(int i) {
    return quantiles[i];
  }

  /** Copies the image at index {@code i} into {@code pixels}. */
  public void read(int i, byte[] pixels) {
    chunks[i / imagesPerChunk].get(offset(i), pixels, 0, imageBytes());
  }

  /** Channels of every image. */
  public int channels() {
    return channels;
  }

  /** Height of every image in pixels. */
  public int height() {
    return height;
  }

  /** Width of every image in pixels. */
  public int width() {
    return width;
  }

  /** Bytes of one image, [channels, height, width]. */
  public int imageBytes() {
    return channels * height * width;
  }

  /** All images one after another, in direct read-only buffers that each hold whole images. */
  public List<ByteBuffer> buffers() {
    return Stream.of(chunks).map(ByteBuffer::asReadOnlyBuffer).toList();
  }

  private int offset(int i) {
    return i % imagesPerChunk * imageBytes();
  }
}
