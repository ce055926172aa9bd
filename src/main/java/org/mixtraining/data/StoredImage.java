package org.mixtraining.data;

import java.nio.ByteBuffer;

/**
 * An image as a shard has it.
 *
 * @param bytes its pixels, or its JPEG or PNG file
 * @param isFile whether it is a file
 */
record StoredImage(ByteBuffer bytes, boolean isFile) {

  /** A copy of the bytes, which outlives the reader of the shard. */
  byte[] copy() {
    var own = new byte[bytes.remaining()];
    bytes.get(bytes.position(), own);
    return own;
  }
}
