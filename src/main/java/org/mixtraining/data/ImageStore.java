package org.mixtraining.data;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.stream.IntStream;

/** The pixels of an {@link ImageSet}, wherever they are kept; read by any number of threads. */
sealed interface ImageStore permits MemoryStore, DiskStore, RowGroupStore {

  /** Copies the image at index {@code i} of the set into {@code pixels}. */
  void read(int i, byte[] pixels);

  /** All images one after another, in direct buffers of whole images; none where not in memory. */
  default List<ByteBuffer> buffers() {
    return List.of();
  }

  /** Says which row groups will be read next: that of each image in turn. */
  default void expect(IntStream groups) {}
}
