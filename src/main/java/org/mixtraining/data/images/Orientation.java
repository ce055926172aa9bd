package org.mixtraining.data.images;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The orientation of a stored image, in the order of Exif's numbers 1 to 8 (tag 0x0112 of Exif
 * 2.32, 4.6.4): cameras keep the rows of the sensor and note how they were held.
 */
enum Orientation {
  UPRIGHT(false, false, false),
  MIRRORED(false, true, false),
  UPSIDE_DOWN(false, true, true),
  FLIPPED(false, false, true),
  TRANSPOSED(true, false, false),
  ON_ITS_LEFT_SIDE(true, false, true),
  TRANSVERSED(true, true, true),
  ON_ITS_RIGHT_SIDE(true, true, false);

  private static final int TAG = 0x0112;
  private static final int ENTRY_BYTES = 12;

  private final boolean rowsAreColumns;
  private final boolean fromRight;
  private final boolean fromBottom;

  /**
   * @param rowsAreColumns whether a column of the upright image is a row of the stored one
   * @param fromRight whether the stored columns run against the upright image
   * @param fromBottom whether the stored rows do
   */
  Orientation(boolean rowsAreColumns, boolean fromRight, boolean fromBottom) {
    this.rowsAreColumns = rowsAreColumns;
    this.fromRight = fromRight;
    this.fromBottom = fromBottom;
  }

  /**
   * The orientation in an Exif block; upright if there is no valid one.
   *
   * @param exif from the byte order mark on
   */
  static Orientation of(ByteBuffer exif) {
    try {
      exif.order(exif.getShort(0) == 0x4949 ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
      boolean isTiff = exif.getShort(2) == 42;
      exif.position(exif.getInt(4));
      for (int entries = isTiff ? exif.getShort() & 0xFFFF : 0; entries > 0; entries--) {
        int entry = exif.position();
        if ((exif.getShort(entry) & 0xFFFF) == TAG) {
          int value =
              switch (exif.getShort(entry + 2)) {
                case 1 -> exif.get(entry + 8); // of a byte
                case 4 -> exif.getInt(entry + 8);
                default -> exif.getShort(entry + 8);
              };
          return value >= 1 && value <= 8 ? values()[value - 1] : UPRIGHT;
        }
        exif.position(entry + ENTRY_BYTES);
      }
    } catch (BufferUnderflowException | IllegalArgumentException | IndexOutOfBoundsException e) {
      return UPRIGHT;
    }
    return UPRIGHT;
  }

  /** First stored column of the upright image's middle, rounded to its left or top. */
  int left(int width, int middle) {
    return start(width - middle, fromRight);
  }

  /** First stored row of the upright image's middle, rounded to its left or top. */
  int top(int height, int middle) {
    return start(height - middle, fromBottom);
  }

  private static int start(int rest, boolean reversed) {
    return reversed ? rest - rest / 2 : rest / 2;
  }

  /** Index in an upright square of what is stored at a column and row of it. */
  int upright(int column, int row, int side) {
    int x = fromRight ? side - 1 - column : column;
    int y = fromBottom ? side - 1 - row : row;
    return rowsAreColumns ? x * side + y : y * side + x;
  }
}
