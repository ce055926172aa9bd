package org.mixtraining.data;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageTypeSpecifier;
import javax.imageio.ImageWriteParam;
import javax.imageio.metadata.IIOMetadataNode;

/** JPEG files and parts of them, as cameras and programs make them. */
public final class DrawnJpeg {
  private static final String NATIVE = "javax_imageio_jpeg_image_1.0";

  private DrawnJpeg() {}

  /**
   * @param luma sampling factor of the luma: 1 for 4:4:4, 2 for 4:2:0
   * @param restart blocks between restart markers; 0 for none
   */
  static byte[] baseline(BufferedImage image, int luma, int restart) {
    var writer = ImageBytes.jdk("jpeg");
    try (var bytes = new ByteArrayOutputStream();
        var out = ImageIO.createImageOutputStream(bytes)) {
      writer.setOutput(out);
      var param = writer.getDefaultWriteParam();
      param.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
      param.setCompressionQuality(0.97f);
      var type = ImageTypeSpecifier.createFromRenderedImage(image);
      var metadata = writer.getDefaultImageMetadata(type, param);
      var root = (IIOMetadataNode) metadata.getAsTree(NATIVE);
      var frame = (IIOMetadataNode) root.getElementsByTagName("componentSpec").item(0);
      frame.setAttribute("HsamplingFactor", String.valueOf(luma));
      frame.setAttribute("VsamplingFactor", String.valueOf(luma));
      if (restart > 0) {
        var interval = new IIOMetadataNode("dri");
        interval.setAttribute("interval", String.valueOf(restart));
        root.getElementsByTagName("markerSequence").item(0).insertBefore(interval, null);
      }
      metadata.setFromTree(NATIVE, root);
      writer.write(null, new IIOImage(image, null, metadata), param);
      out.flush();
      return bytes.toByteArray();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      writer.dispose();
    }
  }

  /** The file with segments after its start. */
  public static byte[] with(byte[] jpeg, byte[]... segments) {
    var out = new ByteArrayOutputStream();
    out.write(jpeg, 0, 2);
    for (byte[] segment : segments) {
      out.writeBytes(segment);
    }
    out.write(jpeg, 2, jpeg.length - 2);
    return out.toByteArray();
  }

  static byte[] segment(int code, byte[] data) {
    var segment = ByteBuffer.allocate(4 + data.length).put((byte) 0xFF).put((byte) code);
    return segment.putShort((short) (2 + data.length)).put(data).array();
  }

  public static byte[] exifSegment(byte[] exif) {
    return segment(0xE1, joined("Exif\0\0".getBytes(StandardCharsets.ISO_8859_1), exif));
  }

  public static byte[] joined(byte[]... parts) {
    var out = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      out.writeBytes(part);
    }
    return out.toByteArray();
  }

  /** The quantisation tables in 16 bits an entry, and some times as coarse. */
  static byte[] widened(byte[] jpeg, int times) {
    var out = new ByteArrayOutputStream();
    int at = 0;
    for (int i = 2; i < jpeg.length - 1 && jpeg[i + 1] != (byte) 0xDA; ) {
      int end = i + 2 + ((jpeg[i + 2] & 0xFF) << 8 | jpeg[i + 3] & 0xFF);
      if (jpeg[i + 1] == (byte) 0xDB) {
        out.write(jpeg, at, i - at);
        for (int table = i + 4; table < end; table += 65) {
          var wide = ByteBuffer.allocate(129).put((byte) (0x10 | jpeg[table]));
          for (int k = 1; k <= 64; k++) {
            wide.putShort((short) (times * (jpeg[table + k] & 0xFF)));
          }
          out.writeBytes(segment(0xDB, wide.array()));
        }
        at = end;
      }
      i = end;
    }
    out.write(jpeg, at, jpeg.length - at);
    return out.toByteArray();
  }

  /** A grey JPEG of process 14 (T.81, annex H), each pixel predicted from the one before. */
  static byte[] lossless(int[][] samples, int bits) {
    var frame = ByteBuffer.allocate(9).put((byte) bits).putShort((short) samples.length);
    frame.putShort((short) samples[0].length).put(new byte[] {1, 1, 0x11, 0});
    var codes = new byte[17 + 17]; // 17 codes of 5 bits: 0 to 16 bits of difference
    codes[5] = 17;
    for (int i = 0; i < 17; i++) {
      codes[17 + i] = (byte) i;
    }
    var data = new StringBuilder();
    for (int y = 0; y < samples.length; y++) {
      for (int x = 0; x < samples[y].length; x++) {
        int first = y == 0 ? 1 << bits - 1 : samples[y - 1][0];
        int difference = (short) (samples[y][x] - (x == 0 ? first : samples[y][x - 1]));
        int length = 32 - Integer.numberOfLeadingZeros(Math.abs(difference));
        data.append(binary(length, 5));
        if (length > 0 && length < 16) {
          data.append(binary(difference < 0 ? difference - 1 : difference, length));
        }
      }
    }
    data.append("1".repeat(8 - data.length() % 8));
    var stuffed = new ByteArrayOutputStream();
    for (int i = 0; i < data.length(); i += 8) {
      int value = Integer.parseInt(data.substring(i, i + 8), 2);
      stuffed.write(value);
      if (value == 0xFF) {
        stuffed.write(0);
      }
    }
    return joined(
        new byte[] {(byte) 0xFF, (byte) 0xD8},
        segment(0xC3, frame.array()),
        segment(0xC4, codes),
        segment(0xDA, new byte[] {1, 1, 0, 1, 0, 0}),
        stuffed.toByteArray(),
        new byte[] {(byte) 0xFF, (byte) 0xD9});
  }

  private static String binary(int value, int bits) {
    var text = "0".repeat(32) + Integer.toBinaryString(value);
    return text.substring(text.length() - bits);
  }

  /** How many of the two bytes that begin a scan there are, wherever they stand. */
  static long scans(byte[] bytes) {
    var text = new String(bytes, StandardCharsets.ISO_8859_1);
    return text.split("\u00ff\u00da", -1).length - 1L;
  }

  /** A film, as far as a reader of JPEGs can tell. */
  static byte[] film() {
    var film = new byte[4000];
    Arrays.fill(film, (byte) 0x11);
    for (int i = 100; i + 30 < film.length; i += 30) {
      film[i] = (byte) 0xFF;
      film[i + 1] = (byte) 0xDA;
    }
    byte[] start = "\0\0\0\u0018ftypmp42".getBytes(StandardCharsets.ISO_8859_1);
    System.arraycopy(start, 0, film, 0, start.length);
    return film;
  }
}
