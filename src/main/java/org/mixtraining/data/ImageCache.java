package org.mixtraining.data;

import java.lang.ref.SoftReference;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.mixtraining.config.DataConfig;

/**
 * Image sets that a process has read, kept while there is memory. It is only a cache: what is not
 * there is read from its shards again.
 */
public final class ImageCache {

  private static final Map<Key, SoftReference<ImageSet>> SETS = new HashMap<>();

  private ImageCache() {}

  /**
   * Which images: part of a dataset's identity is its content, so a dataset prepared again at the
   * same path is another one.
   *
   * @param reader who has a set of its own; 0: nobody
   */
  public record Key(
      String path,
      String fingerprint,
      Split split,
      List<Integer> shards,
      double fraction,
      DataConfig.Caching caching,
      int reader) {}

  /** The images of a key, read on first use. */
  public static ImageSet get(Key key, Supplier<ImageSet> reader) {
    synchronized (SETS) {
      SoftReference<ImageSet> cached = SETS.get(key);
      ImageSet images = cached == null ? null : cached.get();
      if (images != null) {
        return images;
      }
    }
    // Read outside the lock: two tasks may then read the same shards, which costs time, not truth.
    ImageSet images = read(reader);
    synchronized (SETS) {
      SETS.values().removeIf(reference -> reference.get() == null);
      SETS.put(key, new SoftReference<>(images));
    }
    return images;
  }

  /**
   * Soft references watch the heap, but images lie outside it: where that memory ends, the cache
   * must make room itself.
   */
  private static ImageSet read(Supplier<ImageSet> reader) {
    try {
      return reader.get();
    } catch (OutOfMemoryError full) {
      synchronized (SETS) {
        SETS.clear();
      }
      return reader.get();
    }
  }
}
