package org.mixtraining.spark;

import java.io.Serializable;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.mixtraining.vit.state.ModelState;
import org.mixtraining.vit.state.ModelState.Block;

/**
 * States of one shape as a row of values, cut into slices of nearly the same length. The row has
 * the blocks in the order of their names, each with its parameters, then m, then v. A slice is its
 * values as little-endian bytes.
 *
 * @param shapes of the blocks, in order
 * @param count of the slices, at least 1
 */
record SliceLayout(List<Shape> shapes, int count) implements Serializable {

  /**
   * A block's name and lengths.
   *
   * @param moments values of m, and of v
   */
  record Shape(String block, int parameters, int moments) implements Serializable {
    List<Integer> lengths() {
      return List.of(parameters, moments, moments);
    }
  }

  /**
   * What a slice has of one array.
   *
   * @param array of the block: 0 its parameters, 1 m, 2 v
   * @param from where the piece begins in the array
   * @param at where it begins in the slice
   */
  record Piece(String block, int array, int from, int at, int length) {

    /** Its values in the bytes of the slice. */
    FloatBuffer in(ByteBuffer slice) {
      return slice
          .duplicate()
          .order(ByteOrder.LITTLE_ENDIAN)
          .position(Float.BYTES * at)
          .limit(Float.BYTES * (at + length))
          .asFloatBuffer();
    }

    /** Copies its values from a state into the bytes of the slice. */
    void copy(ModelState state, ByteBuffer slice) {
      in(slice).put(array(state), from, length);
    }

    /** Copies its values from the bytes of the slice into a state. */
    void copy(ByteBuffer slice, ModelState state) {
      in(slice).get(array(state), from, length);
    }

    private float[] array(ModelState state) {
      Block values = state.block(block);
      return array == 0 ? values.parameters() : array == 1 ? values.m() : values.v();
    }
  }

  /** The layout of a state and of all like it. */
  static SliceLayout of(ModelState state, int count) {
    List<Shape> shapes = new ArrayList<>();
    state
        .blocks()
        .forEach((name, b) -> shapes.add(new Shape(name, b.parameters().length, b.m().length)));
    return new SliceLayout(List.copyOf(shapes), count);
  }

  /** Bytes of a state. */
  long bytes() {
    return Float.BYTES * values();
  }

  private long values() {
    return shapes.stream().mapToLong(shape -> shape.parameters + 2L * shape.moments).sum();
  }

  private long start(int slice) {
    return values() * slice / count;
  }

  /** What a slice is made of, in order. */
  List<Piece> pieces(int slice) {
    long from = start(slice);
    long to = start(slice + 1);
    List<Piece> pieces = new ArrayList<>();
    long begin = 0;
    for (Shape shape : shapes) {
      for (int array = 0; array < 3; array++) {
        long end = begin + shape.lengths().get(array);
        long first = Math.max(from, begin);
        long last = Math.min(to, end);
        if (first < last) {
          pieces.add(
              new Piece(
                  shape.block,
                  array,
                  (int) (first - begin),
                  (int) (first - from),
                  (int) (last - first)));
        }
        begin = end;
      }
    }
    return pieces;
  }

  /** Bytes for a slice. */
  ByteBuffer empty(int slice) {
    return ByteBuffer.allocate(Math.toIntExact(Float.BYTES * (start(slice + 1) - start(slice))));
  }

  /** A slice of a state. */
  ByteBuffer cut(ModelState state, int slice) {
    ByteBuffer bytes = empty(slice);
    pieces(slice).forEach(piece -> piece.copy(state, bytes));
    return bytes;
  }

  /** Puts a slice where it belongs in a state. */
  void paste(ByteBuffer bytes, int slice, ModelState state) {
    pieces(slice).forEach(piece -> piece.copy(bytes, state));
  }

  /** A state of this shape, all zeros, with the step counts of another. */
  ModelState blank(ModelState steps) {
    Map<String, Block> blocks = new TreeMap<>();
    for (Shape shape : shapes) {
      blocks.put(
          shape.block,
          new Block(
              new float[shape.parameters],
              new float[shape.moments],
              new float[shape.moments],
              steps.block(shape.block).steps()));
    }
    return new ModelState(blocks);
  }
}
