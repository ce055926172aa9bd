package org.mixtraining.kernels;

import static java.lang.invoke.MethodType.methodType;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodHandles.Lookup;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Vectors from and to {@link Segments}: the Vector API takes them from JDK 19 on, and no longer
 * byte buffers. The handles are constants, which HotSpot compiles like calls.
 */
final class SegmentVectors {
  private static final MethodHandle LOAD;
  private static final MethodHandle STORE;

  static {
    Lookup lookup = MethodHandles.publicLookup();
    Class<?> type = Segments.TYPE;
    try {
      MethodHandle load =
          lookup.findStatic(
              FloatVector.class,
              "fromMemorySegment",
              methodType(
                  FloatVector.class, VectorSpecies.class, type, long.class, ByteOrder.class));
      MethodHandle store =
          lookup.findVirtual(
              FloatVector.class,
              "intoMemorySegment",
              methodType(void.class, type, long.class, ByteOrder.class));
      ByteOrder order = ByteOrder.nativeOrder();
      LOAD =
          MethodHandles.insertArguments(
                  MethodHandles.insertArguments(load, 3, order), 0, VectorRowOps.SPECIES)
              .asType(methodType(FloatVector.class, Object.class, long.class));
      STORE =
          MethodHandles.insertArguments(store, 3, order)
              .asType(methodType(void.class, FloatVector.class, Object.class, long.class));
    } catch (ReflectiveOperationException e) {
      throw new LinkageError(e.getMessage(), e);
    }
  }

  private SegmentVectors() {}

  /** The vector from a byte of a segment. */
  static FloatVector load(Object segment, long at) {
    try {
      return (FloatVector) LOAD.invokeExact(segment, at);
    } catch (Throwable e) {
      throw Segments.unchecked(e);
    }
  }

  static void store(FloatVector v, Object segment, long at) {
    try {
      STORE.invokeExact(v, segment, at);
    } catch (Throwable e) {
      throw Segments.unchecked(e);
    }
  }
}
