package org.mixtraining.vit.layers;

import java.util.ArrayList;
import java.util.List;
import org.mixtraining.kernels.Kernels;
import org.mixtraining.schedule.EncoderInput;
import org.mixtraining.vit.ViT;

/**
 * Layout of the rows of a token matrix by image: one or two groups of sequences, each with the same
 * number of tokens, images one after another.
 *
 * @param groups the sequences: for {@link EncoderInput#BOTH} the visible ones first, then the full
 *     ones
 */
record TokenLayout(List<Sequences> groups) {

  /**
   * Rows that a chunk should have at most: few enough for the caches, and enough that the chunks'
   * weight gradients, which are added up at a layer's end, stay a small part of its traffic.
   */
  private static final int CHUNK_ROWS = 1088;

  /** Rows that it should have at least, for fast matrix products. */
  private static final int SMALL_CHUNK_ROWS = 272;

  /**
   * Images of one group that a thread works on at a time.
   *
   * @param fromRow first row, inclusive
   * @param toRow last row, exclusive
   * @param index which chunk it is, from 0
   * @param attention offset of the chunk's attention weights, counted in rows of heads
   */
  record Chunk(int index, int fromRow, int toRow, int tokens, int images, long attention) {}

  static TokenLayout of(ViT vit, EncoderInput encoderInput, int images) {
    return new TokenLayout(Sequences.encoded(vit, encoderInput, images));
  }

  /** The layout of a token matrix with {@code rows} rows. */
  static TokenLayout ofRows(ViT vit, EncoderInput encoderInput, int rows) {
    int perImage = of(vit, encoderInput, 1).rows();
    return of(vit, encoderInput, rows / perImage);
  }

  int rows() {
    return Sequences.rows(groups);
  }

  /** The sequences that the decoder continues: those of the visible patches, or the only ones. */
  Sequences decoded() {
    return groups.get(0);
  }

  /** The sequences that the head pools: the full ones where there are any. */
  Sequences pooled() {
    return groups.get(groups.size() - 1);
  }

  /** Floats that the attention weights of all sequences take, for one block. */
  long attentionSize(int heads) {
    return groups.stream()
        .mapToLong(g -> (long) g.rows() * heads * Kernels.probabilityStride(g.tokens()))
        .sum();
  }

  /**
   * The work of a layer, cut into pieces. The cut depends on the layout only, never on the number
   * of threads, so sums over chunks have the same bits on any machine size.
   */
  List<Chunk> chunks(int heads) {
    List<Chunk> chunks = new ArrayList<>();
    long attention = 0;
    for (Sequences group : groups) {
      int pieces = pieces(group.images(), group.tokens());
      for (int i = 0; i < pieces; i++) {
        int from = (int) ((long) group.images() * i / pieces);
        int to = (int) ((long) group.images() * (i + 1) / pieces);
        if (to > from) {
          int fromRow = group.firstRow() + from * group.tokens();
          int toRow = group.firstRow() + to * group.tokens();
          chunks.add(
              new Chunk(chunks.size(), fromRow, toRow, group.tokens(), to - from, attention));
          attention += (long) (toRow - fromRow) * heads * Kernels.probabilityStride(group.tokens());
        }
      }
    }
    return chunks;
  }

  /** The image that a chunk's first sequence belongs to. */
  int firstImage(Chunk chunk) {
    for (Sequences group : groups) {
      int row = chunk.fromRow() - group.firstRow();
      if (row >= 0 && row < group.rows()) {
        return row / group.tokens();
      }
    }
    throw new IllegalArgumentException(chunk + " is not of " + this);
  }

  /**
   * A multiple of four, so that one, two and four threads share the work evenly; or of two, where a
   * fourth of it would be too small for fast matrix products; or one, for kernels that take whole
   * batches.
   */
  static int pieces(int images, int tokens) {
    if (Compute.current().engine().kernels().takesWholeBatches()) {
      return 1;
    }
    int rows = images * tokens;
    int pieces = multiple(4, rows);
    return Math.min(rows / pieces < SMALL_CHUNK_ROWS ? multiple(2, rows) : pieces, images);
  }

  private static int multiple(int of, int rows) {
    return of * ((rows + of * CHUNK_ROWS - 1) / (of * CHUNK_ROWS));
  }
}
