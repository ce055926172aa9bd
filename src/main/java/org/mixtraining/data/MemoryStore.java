package org.mixtraining.data;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.stream.Stream;

/**
 * Images in direct buffers, which are filled once. Their memory (counted by {@code
 * -XX:MaxDirectMemorySize}, by default as large as the heap) goes when they are garbage.
 */
final class MemoryStore implements ImageStore {
  private static final int CHUNK_BYTES = 1 << 28;

  private final int imageBytes;
  private final int imagesPerChunk;
  private final ByteBuffer[] chunks; // one buffer ends at 2 GB

  /** Room for so many images, black as yet. */
  MemoryStore(int images, int imageBytes) {
    this.imageBytes = imageBytes;
    this.imagesPerChunk = Math.max(1, CHUNK_BYTES / imageBytes);
    this.chunks = new ByteBuffer[(images + imagesPerChunk - 1) / imagesPerChunk];
    for (int chunk = 0; chunk < chunks.length; chunk++) {
      int own = Math.min(imagesPerChunk, images - chunk * imagesPerChunk);
      chunks[chunk] = ByteBuffer.allocateDirect(own * imageBytes);
    }
  }

  void put(int i, ByteBuffer pixels) {
    chunks[i / imagesPerChunk].put(offset(i), pixels, pixels.position(), imageBytes);
  }

  @Override
  public void read(int i, byte[] pixels) {
    chunks[i / imagesPerChunk].get(offset(i), pixels, 0, imageBytes);
  }

  @Override
  public List<ByteBuffer> buffers() {
    return Stream.of(chunks).map(ByteBuffer::asReadOnlyBuffer).toList();
  }

  private int offset(int i) {
    return i % imagesPerChunk * imageBytes;
  }
}
