package org.mixtraining.spark.exchange;

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
 * States of one shape, cut into slices of nearly the same length. A slice has the same part of each
 * block, in the order of their names: its parameters, then m, then v, as little-endian bytes.
 *
 * @param shapes of the blocks, in order
 * @param count of the slices, at least 1
 */
record SliceLayout(List<Shape> shapes, int count) implements Serializable {

  /** A block's name, and how many parameters it has, and values of m and of v. */
  record Shape(String block, int length) implements Serializable {}

  /**
   * What a slice has of one block: as many values of each of its three arrays.
   *
   * @param from where the piece begins in the arrays
   * @param at where it begins in the slice
   */
  record Piece(String block, int from, int at, int length) {

    /** Values of the arrays: parameters, m, v. */
    static final int ARRAYS = 3;

    /** Its values of one array, in the bytes of the slice. */
    FloatBuffer in(ByteBuffer slice, int array) {
      int begin = at + array * length;
      return slice
          .duplicate()
          .order(ByteOrder.LITTLE_ENDIAN)
          .position(Float.BYTES * begin)
          .limit(Float.BYTES * (begin + length))
          .asFloatBuffer();
    }

    /** Copies its values from a state into the bytes of the slice. */
    void copy(ModelState state, ByteBuffer slice) {
      for (int array = 0; array < ARRAYS; array++) {
        in(slice, array).put(array(state, array), from, length);
      }
    }

    /** Copies its values from the bytes of the slice into a state. */
    void copy(ByteBuffer slice, ModelState state) {
      for (int array = 0; array < ARRAYS; array++) {
        in(slice, array).get(array(state, array), from, length);
      }
    }

    /** Copies its values from the bytes of one slice into those of another. */
    void copy(ByteBuffer slice, ByteBuffer other) {
      for (int array = 0; array < ARRAYS; array++) {
        in(other, array).put(in(slice, array));
      }
    }

    private float[] array(ModelState state, int array) {
      Block values = state.block(block);
      return array == 0 ? values.parameters() : array == 1 ? values.m() : values.v();
    }
  }

  /** The layout of a state with its moments, and of all like it. */
  static SliceLayout of(ModelState state, int count) {
    List<Shape> shapes = new ArrayList<>();
    state.blocks().forEach((name, b) -> shapes.add(new Shape(name, b.parameters().length)));
    return new SliceLayout(List.copyOf(shapes), count);
  }

  private int start(Shape shape, int slice) {
    return (int) ((long) shape.length * slice / count);
  }

  /** What a slice is made of, in order. */
  List<Piece> pieces(int slice) {
    List<Piece> pieces = new ArrayList<>();
    int at = 0;
    for (Shape shape : shapes) {
      int from = start(shape, slice);
      int length = start(shape, slice + 1) - from;
      pieces.add(new Piece(shape.block, from, at, length));
      at = Math.addExact(at, Math.multiplyExact(Piece.ARRAYS, length));
    }
    return pieces;
  }

  /** Bytes for a slice. */
  ByteBuffer empty(int slice) {
    int values = pieces(slice).stream().mapToInt(Piece::length).sum();
    return ByteBuffer.allocate(Math.multiplyExact(Float.BYTES * Piece.ARRAYS, values));
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
              new float[shape.length],
              new float[shape.length],
              new float[shape.length],
              steps.block(shape.block).steps()));
    }
    return new ModelState(blocks);
  }
}
