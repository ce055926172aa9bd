package org.mixtraining.data.augment;

/** Geometry by bilinear interpolation between pixel centres. */
final class Resampling {

  private Resampling() {}

  /** Resizes a window to the image's size. Only pixels of the window are read. */
  static void zoom(Picture picture, Window window) {
    int width = picture.width();
    int[] left = new int[width];
    float[] toRight = new float[width];
    for (int x = 0; x < width; x++) {
      float at = source(x, window.left(), window.width(), width);
      left[x] = (int) at;
      toRight[x] = at - left[x];
    }
    int lastColumn = window.left() + window.width() - 1;
    int lastRow = window.top() + window.height() - 1;
    for (int y = 0; y < picture.height(); y++) {
      float at = source(y, window.top(), window.height(), picture.height());
      int top = (int) at;
      float down = at - top;
      for (int c = 0; c < picture.channels(); c++) {
        int upper = c * picture.area() + top * width;
        int lower = c * picture.area() + Math.min(top + 1, lastRow) * width;
        int to = c * picture.area() + y * width;
        for (int x = 0; x < width; x++) {
          int right = Math.min(left[x] + 1, lastColumn);
          float above = between(picture, upper + left[x], upper + right, toRight[x]);
          float below = between(picture, lower + left[x], lower + right, toRight[x]);
          picture.next()[to + x] = Picture.clamped(above + down * (below - above));
        }
      }
    }
    picture.turn();
  }

  /** Where pixel {@code i} of {@code to} lies in a window of {@code size} pixels, kept inside. */
  private static float source(int i, int start, int size, int to) {
    float at = (i + 0.5f) * size / to - 0.5f;
    return start + Math.max(0, Math.min(size - 1, at));
  }

  private static float between(Picture picture, int left, int right, float share) {
    float from = picture.value(left);
    return from + share * (picture.value(right) - from);
  }

  /**
   * Fetches each pixel (x, y), as counted from the image's centre, from (xx·x + xy·y, yx·x + yy·y);
   * beyond the image is black.
   */
  static void affine(Picture picture, double xx, double xy, double yx, double yy) {
    int width = picture.width();
    int height = picture.height();
    double middleX = (width - 1) / 2.0;
    double middleY = (height - 1) / 2.0;
    for (int i = 0; i < picture.area(); i++) {
      double dx = i % width - middleX;
      double dy = i / width - middleY;
      double fromX = middleX + xx * dx + xy * dy;
      double fromY = middleY + yx * dx + yy * dy;
      int left = (int) Math.floor(fromX);
      int top = (int) Math.floor(fromY);
      float right = (float) (fromX - left);
      float down = (float) (fromY - top);
      for (int c = 0; c < picture.channels(); c++) {
        float above = across(picture, c, top, left, right);
        float below = across(picture, c, top + 1, left, right);
        picture.next()[c * picture.area() + i] = Picture.clamped(above + down * (below - above));
      }
    }
    picture.turn();
  }

  /** Between columns {@code left} and {@code left + 1} of a row. */
  private static float across(Picture picture, int channel, int row, int left, float share) {
    if (row < 0 || row >= picture.height()) {
      return 0;
    }
    int start = (channel * picture.height() + row) * picture.width();
    float from = left >= 0 && left < picture.width() ? picture.value(start + left) : 0;
    int right = left + 1;
    float to = right >= 0 && right < picture.width() ? picture.value(start + right) : 0;
    return from + share * (to - from);
  }
}
