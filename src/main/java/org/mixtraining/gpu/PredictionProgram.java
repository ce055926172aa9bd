package org.mixtraining.gpu;

import java.util.ArrayList;
import java.util.List;
import org.mixtraining.vit.ViT;

/** From images to class scores by one head; its blocks share their memory. */
final class PredictionProgram {

  private static final String MEMORY = "block.";

  private final Workbench bench;
  private final EmbeddingProgram embedding;
  private final List<BlockProgram> blocks = new ArrayList<>();
  private final HeadProgram head;
  private final int rows;
  private final Memory encoded; // [rows, dim], before the encoder's norm
  private final Memory normed; // [rows, dim]
  private final Memory stats; // [rows, 2]

  PredictionProgram(Workbench bench) {
    this.bench = bench;
    ViT vit = bench.vit();
    List<Sequences> sequences = Sequences.encoded(vit, bench.blueprint().sight(), bench.images());
    rows = sequences.get(0).rows();
    embedding = new EmbeddingProgram(bench, sequences);
    Memory last = embedding.tokens();
    for (int i = 0; i < vit.depth(); i++) {
      var block =
          new BlockProgram(bench, "encoder-" + i, MEMORY, last, vit.heads(), sequences, null);
      blocks.add(block);
      last = block.output();
    }
    encoded = last;
    normed = bench.matrix("normed", (long) rows * vit.dim());
    stats = bench.floats("stats", rows * 2L);
    head = new HeadProgram(bench, sequences.get(0));
    bench.pixels();
  }

  /** [images, classes]. */
  Memory logits() {
    return head.logits();
  }

  void run() {
    embedding.forward();
    blocks.forEach(BlockProgram::forward);
    bench.operations().norm(encoded, StepProgram.NORM, normed, stats, rows);
    head.scores(normed);
  }
}
