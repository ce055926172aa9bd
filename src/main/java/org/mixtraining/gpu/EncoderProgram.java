package org.mixtraining.gpu;

import java.util.ArrayList;
import java.util.List;
import org.mixtraining.gpu.Operations.Residual;
import org.mixtraining.vit.ViT;
import org.mixtraining.vit.ViTGraph;
import org.mixtraining.vit.layers.Sequences;

/** Forward and backward pass of the encoder: embedding, blocks and final norm. */
final class EncoderProgram {

  private static final String NORM = ViTGraph.ENCODER_NORM + ".";

  private final StepContext bench;
  private final List<Sequences> sequences;
  private final EmbeddingProgram embedding;
  private final List<BlockProgram> blocks = new ArrayList<>();
  private final int rows;
  private final Memory encoded; // [rows, dim], before the norm
  private final Memory normed; // [rows, dim]
  private final Memory stats; // [rows, 2]

  /** Of a training step: every block keeps what its backward pass needs. */
  static EncoderProgram training(StepContext bench) {
    return new EncoderProgram(bench, true);
  }

  /** Of a prediction, which goes forward only: the blocks share their memory. */
  static EncoderProgram predicting(StepContext bench) {
    return new EncoderProgram(bench, false);
  }

  private EncoderProgram(StepContext bench, boolean trains) {
    this.bench = bench;
    ViT vit = bench.vit();
    sequences = Sequences.encoded(vit, bench.spec().encoderInput(), bench.images());
    rows = Sequences.rows(sequences);
    embedding = new EmbeddingProgram(bench, sequences);
    Memory last = embedding.tokens();
    for (int i = 0; i < vit.encoder().depth(); i++) {
      String name = ViTGraph.encoder(i);
      Memory factors = trains && bench.spec().dropRate(i) > 0 ? bench.factors(i) : null;
      BlockProgram block =
          trains
              ? BlockProgram.training(bench, name, last, vit.encoder(), sequences, factors)
              : BlockProgram.predicting(bench, name, last, vit.encoder(), sequences);
      blocks.add(block);
      last = block.output();
    }
    encoded = last;
    normed = bench.matrix("normed", (long) rows * vit.encoder().dim());
    stats = bench.floats("stats", rows * 2L);
  }

  EmbeddingProgram embedding() {
    return embedding;
  }

  /** Those whose tokens are decoded. */
  Sequences decoded() {
    return sequences.get(0);
  }

  /** Those whose tokens are pooled. */
  Sequences pooled() {
    return sequences.get(sequences.size() - 1);
  }

  /** Of all sequences. */
  int rows() {
    return rows;
  }

  /** [rows, dim]. */
  Memory normed() {
    return normed;
  }

  void forward() {
    embedding.forward();
    blocks.forEach(BlockProgram::forward);
    bench.operations().norm(encoded, NORM, normed, stats, rows);
  }

  /**
   * From the gradient by {@link #normed}.
   *
   * @param d [rows, dim], in which it is carried to the tokens
   */
  void backward(Memory dNormed, Memory d) {
    String below = BlockProgram.lastBias(blocks);
    bench
        .operations()
        .normBackward(dNormed, encoded, NORM, stats, d, below, Residual.OVERWRITE, rows);
    BlockProgram.backward(blocks);
    embedding.backward(d);
  }
}
