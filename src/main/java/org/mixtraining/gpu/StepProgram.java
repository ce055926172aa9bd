package org.mixtraining.gpu;

import java.util.ArrayList;
import java.util.List;
import org.mixtraining.gpu.Operations.Residual;
import org.mixtraining.schedule.Objective;
import org.mixtraining.vit.Blueprint;
import org.mixtraining.vit.ViT;

/**
 * A whole training step on a minibatch of one shape: forward, both losses as the objective has
 * them, backward, and AdamW. Its memory is allocated when it is made; {@link #run} only launches.
 */
final class StepProgram {

  /** Steps whose losses a device keeps until they are asked for. */
  static final int SLOTS = 64;

  /** Sums that a step leaves: squared errors, cross-entropies and right guesses. */
  static final int METRICS = 3;

  /** The layer norm behind the encoder's blocks. */
  static final String NORM = "encoder-norm.";

  private final Workbench bench;
  private final EmbeddingProgram embedding;
  private final List<BlockProgram> blocks = new ArrayList<>();
  private final DecoderProgram decoder; // null in SL
  private final HeadProgram head; // null in SSL
  private final Residual ofHead; // whether the decoder has left a gradient where the head's goes
  private final int rows;
  private final Memory encoded; // [rows, dim], before the encoder's norm
  private final Memory normed; // [rows, dim]
  private final Memory stats; // [rows, 2]
  private final Memory dNormed; // [rows, dim]
  private final Memory d; // [rows, dim]
  private final Memory parts; // [METRICS, PARTS]
  private final Memory squares; // [PARTS], of the gradient
  private final Memory clip; // [1], the factor on the gradient
  private final Memory metrics; // [SLOTS, METRICS]

  StepProgram(Workbench bench) {
    this.bench = bench;
    ViT vit = bench.vit();
    Blueprint blueprint = bench.blueprint();
    List<Sequences> sequences = Sequences.encoded(vit, blueprint.sight(), bench.images());
    Sequences decodes = sequences.get(0);
    Sequences pooled = sequences.get(sequences.size() - 1);
    rows = sequences.stream().mapToInt(Sequences::rows).sum();
    embedding = new EmbeddingProgram(bench, sequences);
    Memory last = embedding.tokens();
    for (int i = 0; i < vit.depth(); i++) {
      Memory factors = blueprint.dropRates().get(i) > 0 ? bench.factors(i) : null;
      String name = "encoder-" + i;
      var block = new BlockProgram(bench, name, name + ".", last, vit.heads(), sequences, factors);
      blocks.add(block);
      last = block.output();
    }
    encoded = last;
    long all = rows;
    normed = bench.matrix("normed", all * vit.dim());
    stats = bench.floats("stats", all * 2);
    dNormed = bench.matrix("d-normed", all * vit.dim());
    d = bench.floats("d", all * vit.dim());
    parts = bench.doubles("parts", (long) METRICS * Operations.PARTS);
    squares = bench.doubles("squares", Operations.PARTS);
    clip = bench.floats("clip", 1);
    metrics = bench.doubles("metrics", (long) SLOTS * METRICS);
    Objective objective = blueprint.objective();
    decoder = objective == Objective.SL ? null : new DecoderProgram(bench, embedding, decodes);
    head = objective == Objective.SSL ? null : new HeadProgram(bench, pooled);
    ofHead = decoder != null && pooled.equals(decodes) ? Residual.ADD : Residual.OVERWRITE;
  }

  /** [SLOTS, METRICS]. */
  Memory metrics() {
    return metrics;
  }

  void run() {
    forward();
    backward();
    update();
  }

  private void forward() {
    embedding.forward();
    blocks.forEach(BlockProgram::forward);
    bench.operations().norm(encoded, NORM, normed, stats, rows);
    if (decoder != null) {
      decoder.forward(normed);
      decoder.sum(parts);
    }
    if (head != null) {
      head.forward(normed);
      head.sum(parts.from(Operations.PARTS), parts.from(2L * Operations.PARTS));
    }
    bench
        .operations()
        .gpu()
        .launch(
            "step_metrics",
            1,
            METRICS * Operations.WARP,
            0,
            parts,
            bench.settings(),
            metrics,
            Operations.PARTS);
  }

  private void backward() {
    if (decoder != null) {
      decoder.backward(normed, dNormed);
    }
    if (head != null) {
      head.backward(dNormed, ofHead);
    }
    Operations ops = bench.operations();
    Memory rounded = bench.rounded("d-rounded", d);
    ops.normBackward(dNormed, encoded, NORM, stats, d, rounded, Residual.OVERWRITE, rows);
    for (int i = blocks.size() - 1; i >= 0; i--) {
      blocks.get(i).backward();
    }
    embedding.backward(d);
    Parameters parameters = bench.parameters();
    ops.each(
        "sum_slices",
        parameters.vectors(),
        parameters.slices(),
        parameters.vectorGradients(),
        ops.slices(),
        parameters.vectors());
    embedding.positionsBackward(d);
  }

  private void update() {
    Operations ops = bench.operations();
    Parameters parameters = bench.parameters();
    ops.gradientSquares(bench.blockSettings(), squares);
    ops.gpu()
        .launch(
            "clip_factor",
            1,
            Operations.WARP,
            0,
            squares,
            bench.settings(),
            clip,
            Operations.PARTS);
    Blueprint blueprint = bench.blueprint();
    ops.gpu()
        .launch(
            "adamw",
            parameters.chunks(),
            Parameters.CHUNK,
            0,
            parameters.values(),
            parameters.rounded(),
            parameters.m(),
            parameters.v(),
            parameters.gradient(),
            clip,
            parameters.tensorOfChunk(),
            parameters.rules(),
            bench.blockSettings(),
            (float) blueprint.beta1(),
            (float) blueprint.beta2(),
            (float) Blueprint.EPSILON);
  }
}
