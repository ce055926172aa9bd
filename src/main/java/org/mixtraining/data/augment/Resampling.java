package org.mixtraining.data.augment;

/** Geometry by bilinear interpolation between pixel centres. */
final class Resampling {

  private Resampling() {}

  /** Resizes a window to the image's size. Only pixels of the window are read. */
  static void zoom(Canvas canvas, Window window) {
    int width = canvas.width();
    int[] left = new int[width];
    float[] toRight = new float[width];
    for (int x = 0; x < width; x++) {
      float at = source(x, window.left(), window.width(), width);
      left[x] = (int) at;
      toRight[x] = at - left[x];
    }
    int lastColumn = window.left() + window.width() - 1;
    int lastRow = window.top() + window.height() - 1;
    for (int y = 0; y < canvas.height(); y++) {
      float at = source(y, window.top(), window.height(), canvas.height());
      int top = (int) at;
      float down = at - top;
      for (int c = 0; c < canvas.channels(); c++) {
        int upper = c * canvas.area() + top * width;
        int lower = c * canvas.area() + Math.min(top + 1, lastRow) * width;
        int to = c * canvas.area() + y * width;
        for (int x = 0; x < width; x++) {
          int right = Math.min(left[x] + 1, lastColumn);
          float above = between(canvas, upper + left[x], upper + right, toRight[x]);
          float below = between(canvas, lower + left[x], lower + right, toRight[x]);
          canvas.next()[to + x] = Canvas.clamped(above + down * (below - above));
        }
      }
    }
    canvas.turn();
  }

  /** Position of pixel {@code i} of {@code to} in a window of {@code size} pixels, kept inside. */
  private static float source(int i, int start, int size, int to) {
    float at = (i + 0.5f) * size / to - 0.5f;
    return start + Math.max(0, Math.min(size - 1, at));
  }

  private static float between(Canvas canvas, int left, int right, float share) {
    float from = canvas.value(left);
    return from + share * (canvas.value(right) - from);
  }

  /**
   * Fetches each pixel (x, y), as counted from the image's centre, from (xx·x + xy·y, yx·x + yy·y);
   * beyond the image is black.
   */
  static void affine(Canvas canvas, double xx, double xy, double yx, double yy) {
    int width = canvas.width();
    int height = canvas.height();
    double middleX = (width - 1) / 2.0;
    double middleY = (height - 1) / 2.0;
    for (int i = 0; i < canvas.area(); i++) {
      double dx = i % width - middleX;
      double dy = i / width - middleY;
      double fromX = middleX + xx * dx + xy * dy;
      double fromY = middleY + yx * dx + yy * dy;
      int left = (int) Math.floor(fromX);
      int top = (int) Math.floor(fromY);
      float right = (float) (fromX - left);
      float down = (float) (fromY - top);
      for (int c = 0; c < canvas.channels(); c++) {
        float above = across(canvas, c, top, left, right);
        float below = across(canvas, c, top + 1, left, right);
        canvas.next()[c * canvas.area() + i] = Canvas.clamped(above + down * (below - above));
      }
    }
    canvas.turn();
  }

  /** Between columns {@code left} and {@code left + 1} of a row. */
  private static float across(Canvas canvas, int channel, int row, int left, float share) {
    if (row < 0 || row >= canvas.height()) {
      return 0;
    }
    int start = (channel * canvas.height() + row) * canvas.width();
    float from = left >= 0 && left < canvas.width() ? canvas.value(start + left) : 0;
    int right = left + 1;
    float to = right >= 0 && right < canvas.width() ? canvas.value(start + right) : 0;
    return from + share * (to - from);
  }
}
