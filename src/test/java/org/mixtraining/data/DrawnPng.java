package org.mixtraining.data;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;
import java.util.zip.Deflater;

/**
 * A PNG of any kind that the specification has, written by the specification alone: no line of it
 * is shared with the reader that it tests, and what the reader must find is known from the samples.
 *
 * @param colour 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGB and alpha
 * @param depth bits of a sample
 * @param samples [height][width * samples of a pixel]
 * @param palette RGB, 3 bytes a colour; null if there is none
 */
public record DrawnPng(
    int colour, int depth, boolean interlaced, int width, int[][] samples, byte[] palette) {
  /** Adam7's passes: first column, first row, and steps to the next ones. */
  private static final int[][] PASSES = {
    {0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}
  };

  public static DrawnPng noise(int colour, int depth, boolean interlaced, int width, int height) {
    var random = new Random(31L * colour + depth);
    var palette = colour == 3 ? new byte[3 << depth] : null;
    if (palette != null) {
      random.nextBytes(palette);
    }
    var samples = new int[height][width * channels(colour)];
    for (int[] row : samples) {
      Arrays.setAll(row, i -> random.nextInt(1 << depth));
    }
    return new DrawnPng(colour, depth, interlaced, width, samples, palette);
  }

  private static int channels(int colour) {
    return new int[] {1, 0, 3, 1, 2, 0, 4}[colour];
  }

  /** The colour of a pixel, 0 to 255: what is stored, transparent or not. */
  int rgb(int channel, int x, int y) {
    int sample = samples[y][x * channels(colour) + (colour == 2 || colour == 6 ? channel : 0)];
    if (colour == 3) {
      return palette[3 * sample + channel] & 0xFF;
    }
    return depth == 16 ? sample >> 8 : sample * 255 / ((1 << depth) - 1);
  }

  /**
   * @param before chunks between header and image data
   */
  public byte[] file(byte[]... before) {
    var out = new ByteArrayOutputStream();
    out.writeBytes(new byte[] {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'});
    var header = ByteBuffer.allocate(13).putInt(width).putInt(samples.length);
    header.put((byte) depth).put((byte) colour).put(new byte[] {0, 0});
    out.writeBytes(chunk("IHDR", header.put((byte) (interlaced ? 1 : 0)).array()));
    if (palette != null) {
      out.writeBytes(chunk("PLTE", palette));
    }
    for (byte[] chunk : before) {
      out.writeBytes(chunk);
    }
    byte[] data = deflated();
    int third = data.length / 3;
    out.writeBytes(chunk("IDAT", Arrays.copyOf(data, third)));
    out.writeBytes(chunk("IDAT", new byte[0]));
    out.writeBytes(chunk("IDAT", Arrays.copyOfRange(data, third, data.length)));
    out.writeBytes(chunk("IEND", new byte[0]));
    return out.toByteArray();
  }

  public static byte[] chunk(String type, byte[] data) {
    return ImageBytes.chunk(type, data, data.length);
  }

  private byte[] deflated() {
    var rows = new ByteArrayOutputStream();
    int[][] passes = interlaced ? PASSES : new int[][] {{0, 0, 1, 1}};
    for (int[] pass : passes) {
      byte[] above = null;
      for (int y = pass[1]; y < samples.length && pass[0] < width; y += pass[3]) {
        byte[] row = packed(samples[y], pass[0], pass[2]);
        int filter = y / pass[3] % 5;
        rows.write(filter);
        rows.writeBytes(filtered(filter, row, above == null ? new byte[row.length] : above));
        above = row;
      }
    }
    var deflater = new Deflater();
    deflater.setInput(rows.toByteArray());
    deflater.finish();
    var data = new byte[rows.size() + 1000];
    return Arrays.copyOf(data, deflater.deflate(data));
  }

  /** Samples of every {@code step}-th pixel, the first one in the highest bits. */
  private byte[] packed(int[] row, int first, int step) {
    int channels = channels(colour);
    int pixels = (width - first + step - 1) / step;
    var packed = new byte[(pixels * channels * depth + 7) / 8];
    for (int i = 0; i < pixels * channels; i++) {
      int sample = row[(first + i / channels * step) * channels + i % channels];
      if (depth == 16) {
        packed[2 * i] = (byte) (sample >> 8);
        packed[2 * i + 1] = (byte) sample;
      } else {
        packed[i * depth / 8] |= (byte) (sample << (8 - depth - i * depth % 8));
      }
    }
    return packed;
  }

  private byte[] filtered(int filter, byte[] row, byte[] above) {
    int bytes = Math.max(1, channels(colour) * depth / 8);
    var filtered = new byte[row.length];
    for (int i = 0; i < row.length; i++) {
      int left = i < bytes ? 0 : row[i - bytes] & 0xFF;
      int up = above[i] & 0xFF;
      int corner = i < bytes ? 0 : above[i - bytes] & 0xFF;
      int predicted =
          switch (filter) {
            case 1 -> left;
            case 2 -> up;
            case 3 -> (left + up) / 2;
            case 4 -> paeth(left, up, corner);
            default -> 0;
          };
      filtered[i] = (byte) (row[i] - predicted);
    }
    return filtered;
  }

  private static int paeth(int left, int up, int corner) {
    int toLeft = Math.abs(up - corner);
    int toUp = Math.abs(left - corner);
    int toCorner = Math.abs(left + up - 2 * corner);
    if (toLeft <= toUp && toLeft <= toCorner) {
      return left;
    }
    return toUp <= toCorner ? up : corner;
  }
}
