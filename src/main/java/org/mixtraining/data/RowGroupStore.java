package org.mixtraining.data;

import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The row groups that images were last read of, in a fixed number of buffers of one size; others
 * are read from their shards, those that are expected on a thread of its own. Images stored as
 * files stay files, and are decoded by whoever reads them.
 */
final class RowGroupStore implements ImageStore {
  private static final Logger LOG = LoggerFactory.getLogger(RowGroupStore.class);

  /** Reads a row group's images, each with its index in the set. */
  interface Loader {
    void load(int group, Images to);
  }

  /** Takes an image. */
  interface Images {
    void put(int i, StoredImage image);
  }

  /**
   * What is in memory.
   *
   * @param window how many row groups are read from at a time; as many again are kept, to read
   *     ahead
   * @param bytes that the images of a row group take, at most
   */
  record Room(int window, int bytes) {}

  private final ImageIndex index;
  private final int[] groups; // of each image
  private final int[] places; // of each image in its row group
  private final Loader loader;
  private final Buffer[] buffers;
  private final long ahead; // images of a window
  private final Map<Integer, Buffer> recent = new LinkedHashMap<>(16, 0.75f, true);
  private Thread loading = new Thread(); // that has nothing to do

  /**
   * @param groups of which there are so many
   */
  RowGroupStore(ImageIndex index, int groups, Room room, Loader loader) {
    this.index = index;
    this.groups = index.groups();
    this.places = new int[index.size()];
    this.loader = loader;
    int[] sizes = new int[groups];
    int largest = 0;
    for (int i = 0; i < places.length; i++) {
      places[i] = sizes[this.groups[i]]++;
      largest = Math.max(largest, sizes[this.groups[i]]);
    }
    this.ahead = (long) room.window * largest;
    this.buffers = new Buffer[(int) Math.min(2L * room.window + 2, groups)];
    for (int b = 0; b < buffers.length; b++) {
      buffers[b] = new Buffer(ByteBuffer.allocateDirect(room.bytes), largest);
    }
  }

  @Override
  public void read(int i, byte[] pixels) {
    byte[] read = null;
    while (read == null) { // another thread may have taken the buffer for another row group
      read = buffer(groups[i]).read(i, pixels);
    }
    if (read != pixels) {
      System.arraycopy(index.decoded(i, read), 0, pixels, 0, index.imageBytes());
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

    private final ByteBuffer images; // one after another
    private final int[] starts; // of the images, by their places
    private final int[] sizes;
    private final boolean[] files; // which of them are files
    private volatile int group = NONE; // that it is for
    private int loaded = NONE;

    Buffer(ByteBuffer images, int count) {
      this.images = images;
      this.starts = new int[count];
      this.sizes = new int[count];
      this.files = new boolean[count];
    }

    /** Returns its pixels, or its file in another array; null if it is not there any more. */
    synchronized byte[] read(int i, byte[] pixels) {
      load(groups[i]);
      if (loaded != groups[i]) {
        return null;
      }
      int place = places[i];
      byte[] to = files[place] ? new byte[sizes[place]] : pixels;
      images.get(starts[place], to, 0, sizes[place]);
      return to;
    }

    /** Reads the row group, if the buffer is still for it. */
    synchronized void load(int wanted) {
      if (loaded != wanted && group == wanted) {
        loaded = NONE; // if reading fails
        images.clear();
        loader.load(wanted, this::put);
        loaded = wanted;
      }
    }

    private void put(int i, StoredImage image) {
      var bytes = image.isFile() ? image.bytes() : index.checked(i, image.bytes());
      int place = places[i];
      starts[place] = images.position();
      sizes[place] = bytes.remaining();
      files[place] = image.isFile();
      images.put(bytes.duplicate());
    }
  }
}
