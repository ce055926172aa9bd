package org.mixtraining.data.images;

import java.awt.image.BufferedImage;
import java.awt.image.ComponentSampleModel;
import java.awt.image.DataBuffer;
import java.awt.image.IndexColorModel;

/** Pixels of one image: uint8, [channels, height, width]. */
public record Picture(int channels, int height, int width, byte[] pixels) {

  /**
   * Any decoded image as RGB: grey repeated three times, transparency and colour profiles ignored,
   * 16 bits cut to 8; as Pillow's {@code convert("RGB")} does it. The samples are taken as stored,
   * since Java's own conversion of grey images changes their brightness.
   */
  public static Picture rgb(BufferedImage image) {
    int height = image.getHeight();
    int width = image.getWidth();
    int area = height * width;
    var pixels = new byte[3 * area];
    var row = new byte[3 * width];
    for (int y = 0; y < height; y++) {
      read(image, 0, y, width, row);
      for (int x = 0; x < width; x++) {
        for (int c = 0; c < 3; c++) {
          pixels[c * area + y * width + x] = row[3 * x + c];
        }
      }
    }
    return new Picture(3, height, width, pixels);
  }

  /**
   * The centre square of an image as {@link #rgb} has it, upright, and made smaller by a whole
   * number before it is {@link #scaled}; as Pillow's {@code reducing_gap} does it.
   *
   * @param step width and height of the blocks whose means are the pixels
   */
  static Picture square(BufferedImage image, Orientation orientation, int step) {
    int side = Math.min(image.getHeight(), image.getWidth()) / step;
    int left = orientation.left(image.getWidth(), step * side);
    int top = orientation.top(image.getHeight(), step * side);
    var pixels = new byte[3 * side * side];
    var row = new byte[3 * step * side];
    long area = (long) step * step;
    for (int y = 0; y < side; y++) {
      var sums = new long[3 * side];
      for (int line = 0; line < step; line++) {
        read(image, left, top + y * step + line, step * side, row);
        add(row, step, sums);
      }
      for (int x = 0; x < side; x++) {
        int to = orientation.upright(x, y, side);
        for (int c = 0; c < 3; c++) {
          pixels[c * side * side + to] = (byte) ((sums[3 * x + c] + area / 2) / area);
        }
      }
    }
    return new Picture(3, side, side, pixels);
  }

  /** Adds every {@code step} pixels of a row to the sums of a block. */
  private static void add(byte[] rgb, int step, long[] sums) {
    for (int block = 0; block < sums.length; block += 3) {
      int red = 0;
      int green = 0;
      int blue = 0;
      for (int i = step * block; i < step * (block + 3); i += 3) {
        red += rgb[i] & 0xFF;
        green += rgb[i + 1] & 0xFF;
        blue += rgb[i + 2] & 0xFF;
      }
      sums[block] += red;
      sums[block + 1] += green;
      sums[block + 2] += blue;
    }
  }

  /** Reads pixels of a row, red, green and blue in turn. */
  private static void read(BufferedImage image, int x, int y, int width, byte[] rgb) {
    var raster = image.getRaster();
    int bands = raster.getNumBands();
    if (image.getColorModel() instanceof IndexColorModel) {
      int[] colours = image.getRGB(x, y, width, 1, null, 0, width);
      for (int i = 0; i < width; i++) {
        rgb[3 * i] = (byte) (colours[i] >> 16);
        rgb[3 * i + 1] = (byte) (colours[i] >> 8);
        rgb[3 * i + 2] = (byte) colours[i];
      }
    } else if (bands == 3
        && raster.getSampleModel() instanceof ComponentSampleModel
        && raster.getTransferType() == DataBuffer.TYPE_BYTE) { // most files; the fast path
      raster.getDataElements(x, y, width, 1, rgb);
    } else {
      int excess = image.getColorModel().getComponentSize(0) - Byte.SIZE;
      int[] samples = raster.getPixels(x, y, width, 1, (int[]) null);
      for (int i = 0; i < 3 * width; i++) {
        rgb[i] = (byte) (samples[bands * (i / 3) + (bands < 3 ? 0 : i % 3)] >> excess);
      }
    }
  }

  /** The centre square of the picture, scaled. */
  public Picture scaled(int side) {
    return scaled(side, 1);
  }

  /**
   * The middle of the picture, {@linkplain Bicubic scaled}.
   *
   * @param crop share of the shorter side that the square in the middle has
   */
  public Picture scaled(int side, double crop) {
    int square = (int) Math.max(1, Math.round(crop * Math.min(height, width)));
    if (height == side && width == side && square == side) {
      return this;
    }
    var scaled = new byte[channels * side * side];
    for (int c = 0; c < channels; c++) {
      Bicubic.scale(cut(c, square), square, scaled, c * side * side, side);
    }
    return new Picture(channels, side, side, scaled);
  }

  /** The middle square of a channel. */
  private byte[] cut(int channel, int square) {
    int top = (height - square) / 2;
    int left = (width - square) / 2;
    var cut = new byte[square * square];
    for (int y = 0; y < square; y++) {
      int from = (channel * height + top + y) * width + left;
      System.arraycopy(pixels, from, cut, y * square, square);
    }
    return cut;
  }

  /** The picture in colour ({@code channels} 3), or in grey (1) by ITU-R 601 as Pillow has it. */
  public Picture in(int channels) {
    if (channels == this.channels) {
      return this;
    }
    int area = height * width;
    var converted = new byte[channels * area];
    for (int i = 0; i < area; i++) {
      if (channels == 1) {
        int luma =
            19595 * (pixels[i] & 0xFF)
                + 38470 * (pixels[area + i] & 0xFF)
                + 7471 * (pixels[2 * area + i] & 0xFF);
        converted[i] = (byte) (luma + 0x8000 >> 16);
      } else {
        for (int c = 0; c < channels; c++) {
          converted[c * area + i] = pixels[i];
        }
      }
    }
    return new Picture(channels, height, width, converted);
  }
}
