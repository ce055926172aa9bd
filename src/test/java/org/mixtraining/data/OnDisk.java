package org.mixtraining.data;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.stream.IntStream;

/** Images that lie in a file instead of in memory. */
public final class OnDisk {
  private OnDisk() {}

  /** The same images. */
  public static Share of(Share share) {
    ImageSet images = share.images();
    int count = images.size();
    ImageIndex index =
        new ImageIndex(
            IntStream.range(0, count).mapToLong(images::id).toArray(),
            IntStream.range(0, count).map(images::label).toArray(),
            IntStream.range(0, count).mapToDouble(images::quantile).toArray(),
            new int[count],
            images.channels(),
            images.height(),
            images.width());
    try {
      DiskStore store = new DiskStore(DiskStore.directory(), count, images.imageBytes());
      for (int i = 0; i < count; i++) {
        byte[] image = new byte[images.imageBytes()];
        images.read(i, image);
        store.put(i, ByteBuffer.wrap(image));
      }
      return Share.all(new ImageSet(index, new int[] {0}, store, 1), share.normalization());
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }
}
