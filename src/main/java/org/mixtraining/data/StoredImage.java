package org.mixtraining.data;

import java.nio.ByteBuffer;

/**
 * An image as a shard has it.
 *
 * @param bytes its pixels, or its JPEG or PNG file
 * @param isFile whether it is a file
 */
record StoredImage(ByteBuffer bytes, boolean isFile) {

  /** The same with bytes of its own, which outlive the reader of the shard. */
  StoredImage copy() {
    var own = new byte[bytes.remaining()];
    bytes.get(bytes.position(), own);
    return new StoredImage(ByteBuffer.wrap(own), isFile);
  }
}
