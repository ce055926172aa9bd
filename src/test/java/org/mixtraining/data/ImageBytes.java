package org.mixtraining.data;

import java.awt.image.BufferedImage;
import java.awt.image.Raster;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import java.util.zip.CRC32;
import java.util.zip.Deflater;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;

/** Image files of the kinds that people have, made in memory. */
public final class ImageBytes {
  private ImageBytes() {}

  /** A smooth image, so that JPEG keeps it nearly as it is, that belongs to {@code number}. */
  public static BufferedImage image(int type, int width, int height, int number) {
    var image = new BufferedImage(width, height, type);
    var random = new Random(number);
    int bands = image.getRaster().getNumBands();
    for (int band = 0; band < bands; band++) {
      int base = random.nextInt(60, 120);
      int slope = random.nextInt(1, 100);
      for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
          int value = base + slope * (x + y) / (width + height);
          image.getRaster().setSample(x, y, band, band == 3 ? 255 : value);
        }
      }
    }
    return image;
  }

  public static byte[] png(int width, int height, int number) {
    return encoded(image(BufferedImage.TYPE_INT_RGB, width, height, number), "png");
  }

  public static byte[] jpeg(int width, int height, int number) {
    return encoded(image(BufferedImage.TYPE_INT_RGB, width, height, number), "jpeg");
  }

  public static byte[] encoded(BufferedImage image, String format) {
    return written(new IIOImage(image, null, null), format, ImageWriteParam.MODE_DISABLED);
  }

  /** A JPEG in several scans, or an interlaced PNG. */
  public static byte[] progressive(BufferedImage image, String format) {
    return written(new IIOImage(image, null, null), format, ImageWriteParam.MODE_DEFAULT);
  }

  /** A JPEG of four colours, as printers' programs make them. */
  public static byte[] cmyk(int width, int height) {
    return inks(width, height, 0, 245, 55, 55, 255);
  }

  /**
   * A JPEG of one colour, as Adobe's programs store it.
   *
   * @param transform 0 for CMYK, 2 for YCCK
   * @param inks 255 less each ink; or luma and chromas of cyan, magenta and yellow, and 255 less
   *     the black
   */
  static byte[] inks(int width, int height, int transform, int... inks) {
    var raster = Raster.createInterleavedRaster(0, width, height, 4, null);
    for (int i = 0; i < width * height; i++) {
      raster.setPixel(i % width, i / width, inks);
    }
    byte[] adobe = {'A', 'd', 'o', 'b', 'e', 0, 100, 0, 0, 0, 0, (byte) transform};
    return DrawnJpeg.with(
        written(new IIOImage(raster, null, null), "jpeg", ImageWriteParam.MODE_DISABLED),
        DrawnJpeg.segment(0xEE, adobe));
  }

  private static byte[] written(IIOImage image, String format, int mode) {
    var writer = jdk(format);
    try (var bytes = new ByteArrayOutputStream();
        var out = ImageIO.createImageOutputStream(bytes)) {
      writer.setOutput(out);
      var param = writer.getDefaultWriteParam();
      param.setProgressiveMode(mode);
      writer.write(null, image, param);
      out.flush();
      return bytes.toByteArray();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      writer.dispose();
    }
  }

  static ImageWriter jdk(String format) {
    var writers = ImageIO.getImageWritersByFormatName(format);
    while (true) {
      var writer = writers.next();
      if (writer.getClass().getName().startsWith("com.sun.")) {
        return writer;
      }
    }
  }

  /** A PNG of a few bytes that declares any size, and has a little of its data. */
  public static byte[] declared(int width, int height) {
    var header =
        ByteBuffer.allocate(13).putInt(width).putInt(height).put(new byte[] {8, 2, 0, 0, 0});
    var deflater = new Deflater();
    deflater.setInput(new byte[1000]);
    deflater.finish();
    var data = new byte[100];
    int length = deflater.deflate(data);
    var out = new ByteArrayOutputStream();
    out.writeBytes(new byte[] {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'});
    out.writeBytes(chunk("IHDR", header.array(), 13));
    out.writeBytes(chunk("IDAT", data, length));
    out.writeBytes(chunk("IEND", data, 0));
    return out.toByteArray();
  }

  static byte[] chunk(String type, byte[] data, int length) {
    var chunk = ByteBuffer.allocate(12 + length).putInt(length);
    chunk.put(type.getBytes(StandardCharsets.US_ASCII)).put(data, 0, length);
    var crc = new CRC32();
    crc.update(chunk.array(), 4, 4 + length);
    return chunk.putInt((int) crc.getValue()).array();
  }
}
