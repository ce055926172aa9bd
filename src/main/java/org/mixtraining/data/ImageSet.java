package org.mixtraining.data;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Images as uint8, in order of their ids, and outside the Java heap. It is filled once and then
 * read by any number of threads.
 */
public final class ImageSet {
  private final ImageIndex index;
  private final int[] shards;
  private final ImageStore store;
  private final int window;

  /**
   * @param shards that the row groups of the index belong to
   * @param window how many row groups are shuffled among each other, above 0
   */
  ImageSet(ImageIndex index, int[] shards, ImageStore store, int window) {
    this.index = index;
    this.shards = shards;
    this.store = store;
    this.window = window;
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
    var index =
        new ImageIndex(
            ids.clone(),
            labels.clone(),
            quantiles.clone(),
            new int[ids.length],
            channels,
            height,
            width);
    var store = new MemoryStore(ids.length, index.imageBytes());
    for (int i = 0; i < pixels.length; i++) {
      store.put(i, index.checked(i, ByteBuffer.wrap(pixels[i])));
    }
    return new ImageSet(index, new int[] {0}, store, 1);
  }

  /** Number of images. */
  public int size() {
    return index.size();
  }

  /** Id of the image at index {@code i}; ids ascend. */
  public long id(int i) {
    return index.ids()[i];
  }

  /** Class index of the image at index {@code i}; {@link Minibatch#UNLABELLED} if it has none. */
  public int label(int i) {
    return index.labels()[i];
  }

  /** Whether it has a label that a run may use, of a share of them. */
  boolean isLabelled(int i, double share) {
    return label(i) >= 0 && quantile(i) < share;
  }

  /**
   * Position of the image in the seeded order of its class, in (0, 1): a share f of the images, or
   * of the labels, is those with a quantile below f.
   */
  public double quantile(int i) {
    return index.quantiles()[i];
  }

  /** Number of the row group that the image at index {@code i} is read with. */
  int group(int i) {
    return index.groups()[i];
  }

  /** Number of the shard that the image at index {@code i} lies in. */
  int shard(int i) {
    return shards[group(i)];
  }

  /** How many row groups are shuffled among each other. */
  int window() {
    return window;
  }

  /** Copies the image at index {@code i} into {@code pixels}. */
  public void read(int i, byte[] pixels) {
    store.read(i, pixels);
  }

  /**
   * Says which images will be read next.
   *
   * @param order of images
   * @param from the place of the next one
   */
  void expect(int[] order, int from) {
    store.expect(IntStream.of(order).skip(from).map(this::group));
  }

  /** Channels of every image. */
  public int channels() {
    return index.channels();
  }

  /** Height of every image in pixels. */
  public int height() {
    return index.height();
  }

  /** Width of every image in pixels. */
  public int width() {
    return index.width();
  }

  /** Bytes of one image, [channels, height, width]. */
  public int imageBytes() {
    return index.imageBytes();
  }

  /**
   * All images one after another, in direct read-only buffers that each hold whole images; none if
   * they are not in memory.
   */
  public List<ByteBuffer> buffers() {
    return store.buffers();
  }
}
