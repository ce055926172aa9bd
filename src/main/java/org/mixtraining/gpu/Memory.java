package org.mixtraining.gpu;

/**
 * Values in a device's memory.
 *
 * @param address of the first; 0: none
 */
public record Memory(long address, Type type, long count) {

  /** The argument of a kernel that does without it. */
  static final Memory NONE = new Memory(0, Type.FLOAT, 0);

  /** The type of a value. */
  public enum Type {
    FLOAT(4),
    /** The upper half of a float. */
    BF16(2),
    DOUBLE(8),
    INT(4),
    BYTE(1);

    private final int bytes;

    Type(int bytes) {
      this.bytes = bytes;
    }

    public int bytes() {
      return bytes;
    }
  }

  public long bytes() {
    return count * type.bytes();
  }

  /** These values from one on. */
  Memory from(long first) {
    if (first < 0 || first > count) {
      throw new IllegalArgumentException("value %s of %s".formatted(first, count));
    }
    return new Memory(address + first * type.bytes(), type, count - first);
  }

  /** The first of these values. */
  Memory first(long size) {
    if (size > count) {
      throw new IllegalArgumentException("%s of %s values".formatted(size, count));
    }
    return new Memory(address, type, size);
  }
}
