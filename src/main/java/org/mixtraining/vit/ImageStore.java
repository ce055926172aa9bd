package org.mixtraining.vit;

import java.nio.ByteBuffer;
import java.util.List;

/** Images that a process holds as uint8; the same object while they are the same images. */
public interface ImageStore {

  /** Number of images. */
  int size();

  /** Bytes of one image, [channels, height, width]. */
  int imageBytes();

  /** Copies image {@code i} into {@code pixels}. */
  void read(int i, byte[] pixels);

  /** All images one after another, in direct read-only buffers that each hold whole images. */
  List<ByteBuffer> buffers();
}
