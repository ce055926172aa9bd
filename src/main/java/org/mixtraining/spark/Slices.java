package org.mixtraining.spark;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.mixtraining.vit.state.ModelState;

/**
 * The values of a state in slices of one length, block by block in the order of their names, each
 * with its parameters, then m, then v; the last slice of an array may be shorter.
 */
final class Slices {
  /** Floats of a slice: 256 KB, some hundred of them in a state of vit-tiny. */
  static final int LENGTH = 1 << 16;

  private record Slice(String block, float[] array, int from, int to) {}

  private final List<Slice> slices = new ArrayList<>();

  /** Of a state, whose arrays are read and written in place. */
  Slices(ModelState state) {
    state
        .blocks()
        .forEach(
            (name, block) -> {
              for (float[] array : List.of(block.parameters(), block.m(), block.v())) {
                for (int from = 0; from < array.length; from += LENGTH) {
                  int to = Math.min(from + LENGTH, array.length);
                  slices.add(new Slice(name, array, from, to));
                }
              }
            });
  }

  int count() {
    return slices.size();
  }

  /** The block that a slice is part of. */
  String block(int slice) {
    return slices.get(slice).block;
  }

  /** A copy of one slice. */
  float[] read(int slice) {
    Slice part = slices.get(slice);
    return Arrays.copyOfRange(part.array, part.from, part.to);
  }

  /** Puts one slice where it belongs. */
  void write(int slice, float[] copy) {
    Slice part = slices.get(slice);
    System.arraycopy(copy, 0, part.array, part.from, copy.length);
  }
}
