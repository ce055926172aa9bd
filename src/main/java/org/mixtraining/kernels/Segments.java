package org.mixtraining.kernels;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.Buffer;
import java.nio.ByteBuffer;

/**
 * Memory as the Vector API takes it: up to JDK 18 a byte buffer, then a {@code
 * java.lang.foreign.MemorySegment}, found by its name, since this code is compiled for 17.
 */
final class Segments {
  /** The class of segments; null where the Vector API takes buffers. */
  static final Class<?> TYPE = type();

  private static final MethodHandle OF_BUFFER = ofBuffer();

  private Segments() {}

  private static Class<?> type() {
    try {
      return Class.forName("java.lang.foreign.MemorySegment");
    } catch (ClassNotFoundException e) {
      return null;
    }
  }

  private static MethodHandle ofBuffer() {
    if (TYPE == null) {
      return null;
    }
    try {
      return MethodHandles.publicLookup()
          .findStatic(TYPE, "ofBuffer", MethodType.methodType(TYPE, Buffer.class))
          .asType(MethodType.methodType(Object.class, ByteBuffer.class));
    } catch (ReflectiveOperationException e) {
      throw new LinkageError(e.getMessage(), e);
    }
  }

  /** The buffer itself, or a segment of its memory. */
  static Object of(ByteBuffer bytes) {
    if (TYPE == null) {
      return bytes;
    }
    try {
      return OF_BUFFER.invokeExact(bytes);
    } catch (Throwable e) {
      throw unchecked(e);
    }
  }

  /** What a method threw that declares no checked exception. */
  static RuntimeException unchecked(Throwable e) {
    if (e instanceof Error error) {
      throw error;
    }
    return e instanceof RuntimeException own ? own : new IllegalStateException(e);
  }
}
