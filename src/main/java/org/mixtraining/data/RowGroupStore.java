package org.mixtraining.data;

import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The row groups that images were last read of, in a fixed number of buffers of one size; others
 * are read from their shards, those that are expected on a thread of its own.
 */
final class RowGroupStore implements ImageStore {
  private static final Logger LOG = LoggerFactory.getLogger(RowGroupStore.class);

  /** Reads a row group's images, each with its index in the set. */
  interface Loader {
    void load(int group, Images to);
  }

  /** Takes an image of {@code imageBytes} bytes. */
  interface Images {
    void put(int i, ByteBuffer pixels);
  }

  private final int imageBytes;
  private final int[] groups; // of each image
  private final int[] places; // of each image in its row group
  private final Loader loader;
  private final Buffer[] buffers;
  private final long ahead; // images of a window
  private final Map<Integer, Buffer> recent = new LinkedHashMap<>(16, 0.75f, true);
  private Thread loading = new Thread(); // that has nothing to do

  /**
   * @param groups of which there are so many
   * @param window how many of them are read from at a time; as many again are kept, to read ahead
   */
  RowGroupStore(ImageIndex index, int groups, int window, Loader loader) {
    this.imageBytes = index.imageBytes();
    this.groups = index.groups();
    this.places = new int[index.size()];
    this.loader = loader;
    int[] sizes = new int[groups];
    int largest = 0;
    for (int i = 0; i < places.length; i++) {
      places[i] = sizes[this.groups[i]]++;
      largest = Math.max(largest, sizes[this.groups[i]]);
    }
    this.ahead = (long) window * largest;
    this.buffers = new Buffer[(int) Math.min(2L * window + 2, groups)];
    for (int b = 0; b < buffers.length; b++) {
      buffers[b] = new Buffer(ByteBuffer.allocateDirect(Math.multiplyExact(largest, imageBytes)));
    }
  }

  @Override
  public void read(int i, byte[] pixels) {
    boolean read = false;
    while (!read) { // another thread may have taken the buffer for another row group
      read = buffer(groups[i]).read(i, pixels);
    }
  }

  /** The next few: as many as leave the present window where it is. */
  @Override
  public void expect(IntStream expected) {
    synchronized (recent) {
      if (!loading.isAlive()) {
        int[] next = expected.limit(ahead).distinct().toArray();
        loading = new Thread(() -> load(next), "image-loader");
        loading.setDaemon(true);
        loading.start();
      }
    }
  }

  private void load(int[] next) {
    try {
      for (int group : next) {
        buffer(group).load(group);
      }
    } catch (RuntimeException e) {
      LOG.warn("images cannot be read ahead, and will be tried again when it is their turn", e);
    }
  }

  /** The buffer of a row group: the one it is in, or else that of the least recent one. */
  private Buffer buffer(int group) {
    synchronized (recent) {
      Buffer buffer = recent.get(group);
      if (buffer == null) {
        buffer = recent.size() < buffers.length ? buffers[recent.size()] : leastRecent();
        buffer.group = group;
        recent.put(group, buffer);
      }
      return buffer;
    }
  }

  private Buffer leastRecent() {
    var eldest = recent.entrySet().iterator();
    var buffer = eldest.next().getValue();
    eldest.remove();
    return buffer;
  }

  private final class Buffer {
    private static final int NONE = -1;

    private final ByteBuffer images;
    private volatile int group = NONE; // that it is for
    private int loaded = NONE;

    Buffer(ByteBuffer images) {
      this.images = images;
    }

    synchronized boolean read(int i, byte[] pixels) {
      load(groups[i]);
      if (loaded != groups[i]) {
        return false;
      }
      images.get(places[i] * imageBytes, pixels, 0, imageBytes);
      return true;
    }

    /** Reads the row group, if the buffer is still for it. */
    synchronized void load(int wanted) {
      if (loaded != wanted && group == wanted) {
        loaded = NONE; // if reading fails
        loader.load(
            wanted,
            (i, pixels) ->
                images.put(places[i] * imageBytes, pixels, pixels.position(), imageBytes));
        loaded = wanted;
      }
    }
  }
}
