package org.mixtraining.data.images;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** The segments of a JPEG file (ITU-T T.81, annex B) up to the end of its first image. */
final class JpegSegments {
  static final byte[] START = {(byte) 0xFF, (byte) 0xD8, (byte) 0xFF};

  /** Each scan of a progressive JPEG goes over the whole image; encoders write about ten. */
  private static final int MOST_SCANS = 100;

  private static final int END_OF_IMAGE = 0xD9;
  private static final int START_OF_SCAN = 0xDA;
  private static final int LOSSLESS_FRAME = 0xC3;
  private static final int QUANTISATION = 0xDB;
  private static final int APP0_JFIF = 0xE0;
  private static final int APP1_EXIF = 0xE1;
  private static final int APP14_ADOBE = 0xEE;
  private static final int APP15 = 0xEF;
  private static final int COMMENT = 0xFE;
  private static final byte[] EXIF = "Exif\0\0".getBytes(StandardCharsets.US_ASCII);

  private final byte[] file;
  private final ByteArrayOutputStream bare;
  private Orientation orientation = null;
  private int scans = 0;
  private int pixelBytes = 3;

  private JpegSegments(byte[] file) {
    this.file = file;
    this.bare = new ByteArrayOutputStream(file.length);
  }

  /**
   * The image alone: what follows it (the video of a motion photo, a second image) and
   * applications' segments are left out, but for those that tell its colours (JFIF's and Adobe's).
   *
   * @throws Refusal if the file ends before the image does, or has too many scans
   */
  static BareFile bare(byte[] file) throws Refusal {
    return new JpegSegments(file).walk();
  }

  private BareFile walk() throws Refusal {
    bare.write(file, 0, 2);
    int at = marker(2);
    while (code(at) != END_OF_IMAGE) {
      int end = end(at);
      if (code(at) == START_OF_SCAN) {
        scans++;
        end = marker(end);
      } else if (code(at) == APP1_EXIF && orientation == null) {
        readExif(at + 4, end);
      } else if (code(at) == LOSSLESS_FRAME) {
        pixelBytes = 5 * Integer.BYTES; // it has arrays of its own
      } else if (isFrame(code(at)) && end > at + 9 && file[at + 9] == 4) {
        pixelBytes = 4 + 3; // inks, and the colours that they make
      }
      if (code(at) == QUANTISATION && end > at + 4 && (file[at + 4] & 0xF0) != 0) {
        writeTables(at, end);
      } else if (makesPixels(code(at))) {
        bare.write(file, at, end - at);
      }
      at = marker(end);
    }
    bare.write(file, at, 2);
    if (scans > MOST_SCANS) {
      throw new Refusal("has %s scans, more than %s".formatted(scans, MOST_SCANS));
    }
    return new BareFile(
        bare.toByteArray(), orientation == null ? Orientation.UPRIGHT : orientation, pixelBytes);
  }

  private static boolean isFrame(int code) {
    return code >= 0xC0 && code <= 0xCF && code != 0xC4 && code != 0xC8 && code != 0xCC;
  }

  private static boolean makesPixels(int code) {
    boolean isApplications = code >= APP0_JFIF && code <= APP15;
    return code == APP0_JFIF || code == APP14_ADOBE || !isApplications && code != COMMENT;
  }

  /**
   * Offset of the next marker, or of the end of the file. In entropy-coded data 0xFF is followed by
   * 0, and restart markers belong to it; anything else between segments is passed over, as libjpeg
   * does.
   */
  private int marker(int from) throws Refusal {
    for (int at = from; at + 1 < file.length; at++) {
      if (file[at] == (byte) 0xFF) {
        int code = code(at);
        boolean restarts = code >= 0xD0 && code <= 0xD7;
        if (code != 0 && code != 0xFF && !restarts) {
          return at;
        }
      }
    }
    throw new Refusal("damaged: Truncated File - Missing EOI marker");
  }

  private int code(int marker) {
    return file[marker + 1] & 0xFF;
  }

  private int end(int marker) throws Refusal {
    if (code(marker) == 0x01 || code(marker) == 0xD8) { // stand alone
      return marker + 2;
    }
    int length = marker + 4 > file.length ? 0 : ByteBuffer.wrap(file).getShort(marker + 2) & 0xFFFF;
    if (length < 2 || marker + 2 + length > file.length) {
      throw new Refusal("damaged: the segment at byte %s is incomplete".formatted(marker));
    }
    return marker + 2 + length;
  }

  /**
   * Quantisation tables of 16 bits after one of 8, which the first of them replaces: TwelveMonkeys'
   * reader cuts a segment's tables to 8 bits when the first one is wider, and libjpeg takes both.
   */
  private void writeTables(int from, int to) {
    var tables = ByteBuffer.allocate(to - from + 1 + 64);
    tables.put(file, from, 2).putShort((short) (tables.capacity() - 2));
    tables.put((byte) (file[from + 4] & 0x0F));
    for (int i = 0; i < 64; i++) {
      tables.put((byte) 1);
    }
    bare.writeBytes(tables.put(file, from + 4, to - from - 4).array());
  }

  private void readExif(int from, int to) {
    int start = from + EXIF.length;
    if (start <= to && Arrays.equals(file, from, start, EXIF, 0, EXIF.length)) {
      orientation = Orientation.of(ByteBuffer.wrap(file, start, to - start).slice());
    }
  }
}
