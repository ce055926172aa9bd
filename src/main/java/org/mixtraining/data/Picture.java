package org.mixtraining.data;

import com.twelvemonkeys.image.ResampleOp;
import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.util.Arrays;

/** Pixels of one image: uint8, [channels, height, width]. */
record Picture(int channels, int height, int width, byte[] pixels) {

  /**
   * Any decoded image as RGB: grey thrice, transparency and colour profiles ignored, 16 bits cut to
   * 8; as Pillow's {@code convert("RGB")} does it. The samples are taken as stored, since Java's
   * own conversion of grey images changes their brightness.
   */
  static Picture rgb(BufferedImage image) {
    int height = image.getHeight();
    int width = image.getWidth();
    var pixels = new byte[3 * height * width];
    var indexed = image.getColorModel() instanceof IndexColorModel;
    var raster = image.getRaster();
    int bands = raster.getNumBands();
    int excess = raster.getSampleModel().getSampleSize(0) - Byte.SIZE;
    var row = new int[width];
    for (int c = 0; c < 3; c++) {
      for (int y = 0; y < height; y++) {
        if (indexed) {
          image.getRGB(0, y, width, 1, row, 0, width);
        } else {
          raster.getSamples(0, y, width, 1, bands < 3 ? 0 : c, row);
        }
        int shift = indexed ? Byte.SIZE * (2 - c) : excess;
        int to = (c * height + y) * width;
        for (int x = 0; x < width; x++) {
          pixels[to + x] = (byte) (row[x] >> shift);
        }
      }
    }
    return new Picture(3, height, width, pixels);
  }

  /**
   * The centre square of the picture, scaled. A triangle filter as wide as the reduction takes
   * every pixel into account, as Pillow's and torchvision's bilinear scaling does; Graphics2D's
   * looks at four pixels, however many there are.
   */
  Picture scaled(int side) {
    if (height == side && width == side) {
      return this;
    }
    int square = Math.min(height, width);
    var image = new BufferedImage(square, square, BufferedImage.TYPE_INT_RGB);
    int top = (height - square) / 2;
    int left = (width - square) / 2;
    for (int c = 0; c < 3; c++) {
      var samples = new int[square];
      for (int y = 0; y < square; y++) {
        int from = (c % channels * height + top + y) * width + left;
        for (int x = 0; x < square; x++) {
          samples[x] = pixels[from + x] & 0xFF;
        }
        image.getRaster().setSamples(0, y, square, 1, c, samples);
      }
    }
    var scaled =
        square == side
            ? image
            : new ResampleOp(side, side, ResampleOp.FILTER_TRIANGLE).filter(image, null);
    var rgb = rgb(scaled);
    return channels == 3 ? rgb : new Picture(channels, side, side, rgb.plane());
  }

  /** The picture in colour ({@code channels} 3), or in grey (1) by ITU-R 601 as Pillow has it. */
  Picture in(int channels) {
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

  /** The first channel alone. */
  private byte[] plane() {
    return Arrays.copyOf(pixels, height * width);
  }
}
