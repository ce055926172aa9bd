package org.mixtraining.spark;

import java.util.ArrayList;
import java.util.List;
import org.mixtraining.vit.ModelState;
import org.mixtraining.vit.ModelState.Block;

/**
 * The values of a state as one row, block by block in the order of their names, each with its
 * parameters, then m, then v; cut into slices of one length, of which the last may be shorter.
 */
final class Slices {
  /** Floats of a slice: 256 KB, some hundred of them in a state of vit-tiny. */
  static final int LENGTH = 1 << 16;

  private final List<float[]> arrays = new ArrayList<>();
  private final long values;

  /** Of a state, whose arrays are read and written in place. */
  Slices(ModelState state) {
    for (Block block : state.blocks().values()) {
      arrays.addAll(List.of(block.parameters(), block.m(), block.v()));
    }
    values = arrays.stream().mapToLong(array -> array.length).sum();
  }

  int count() {
    return Math.toIntExact((values + LENGTH - 1) / LENGTH);
  }

  /** A copy of one slice. */
  float[] read(int slice) {
    float[] copy = new float[(int) Math.min(LENGTH, values - (long) slice * LENGTH)];
    eachPart(
        slice, copy.length, (array, from, at, n) -> System.arraycopy(array, from, copy, at, n));
    return copy;
  }

  /** Puts one slice where it belongs. */
  void write(int slice, float[] copy) {
    eachPart(
        slice, copy.length, (array, from, at, n) -> System.arraycopy(copy, at, array, from, n));
  }

  /** Some values of an array, and where they are in a slice. */
  private interface Part {
    void take(float[] array, int from, int at, int length);
  }

  private void eachPart(int slice, int length, Part part) {
    long skip = (long) slice * LENGTH;
    int at = 0;
    for (float[] array : arrays) {
      if (skip < array.length && at < length) {
        int taken = (int) Math.min(array.length - skip, length - at);
        part.take(array, (int) skip, at, taken);
        at += taken;
        skip = 0;
      } else {
        skip = Math.max(0, skip - array.length);
      }
    }
  }
}
