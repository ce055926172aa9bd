package org.mixtraining.data.images;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;

/** The chunks of a PNG file (W3C's PNG specification, clause 5) up to the end of its image. */
final class PngChunks {
  static final byte[] START = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};

  /** Offset of the bit depth in the header, which is the first chunk. */
  private static final int DEPTH = 24;

  private PngChunks() {}

  /**
   * The image alone: its header, palette and data.
   *
   * @throws Refusal if the file ends before the image does, a chunk that makes pixels is damaged,
   *     or there is one of an unknown kind
   */
  static BareFile bare(byte[] bytes) throws Refusal {
    var file = ByteBuffer.wrap(bytes);
    var bare = new ByteArrayOutputStream(bytes.length);
    bare.write(bytes, 0, START.length);
    var orientation = Orientation.UPRIGHT;
    int at = START.length;
    var type = "";
    while (!type.equals("IEND")) {
      int length = bytes.length - at < 12 ? -1 : file.getInt(at);
      if (length < 0 || length > bytes.length - at - 12) {
        throw damaged(at, "is incomplete");
      }
      type = new String(bytes, at + 4, 4, StandardCharsets.ISO_8859_1);
      var checksum = new CRC32();
      checksum.update(bytes, at + 4, 4 + length);
      boolean isSound = file.getInt(at + 8 + length) == (int) checksum.getValue();
      switch (type) {
        case "IHDR", "PLTE", "IDAT", "IEND" -> {
          if (!isSound) {
            throw damaged(at, "has another checksum");
          }
          bare.write(bytes, at, 12 + length);
        }
        case "eXIf" -> {
          if (isSound) {
            orientation = Orientation.of(file.slice(at + 8, length));
          }
        }
        default -> {
          if ((bytes[at + 4] & 0x20) == 0) {
            throw isSound
                ? new Refusal(
                    "a PNG with chunks of the unknown kind " + type.replaceAll("[^A-Za-z]", "?"))
                : damaged(at, "has another checksum");
          }
        }
      }
      at += 12 + length;
    }
    boolean isDeep = bytes.length > DEPTH && bytes[DEPTH] == Short.SIZE;
    return new BareFile(bare.toByteArray(), orientation, isDeep ? 8 : 4);
  }

  private static Refusal damaged(int at, String what) {
    return new Refusal("damaged: the chunk at byte %s %s".formatted(at, what));
  }
}
