package org.mixtraining.gpu;

import org.mixtraining.gpu.Operations.Residual;
import org.mixtraining.schedule.Objective;
import org.mixtraining.vit.AdamW;
import org.mixtraining.vit.GraphSpec;
import org.mixtraining.vit.layers.Sequences;

/**
 * A whole training step on a minibatch of one shape: forward, both losses as the objective has
 * them, backward, and AdamW. Its memory is allocated when it is made; {@link #run} only launches.
 */
final class StepProgram {

  /** Steps whose losses a device keeps until they are asked for. */
  static final int SLOTS = 64;

  /** Sums that a step leaves: squared errors, cross-entropies and correct predictions. */
  static final int METRICS = 3;

  private final StepContext bench;
  private final EncoderProgram encoder;
  private final DecoderProgram decoder; // null in SL
  private final HeadProgram head; // null in SSL
  private final Residual ofHead; // whether the decoder has left a gradient where the head's goes
  private final Memory dNormed; // [rows of the encoder, dim]
  private final Memory d; // [rows of the encoder, dim]
  private final Memory parts; // [METRICS, PARTS]
  private final Memory squares; // [PARTS], of the gradient; null: it is not clipped
  private final Memory clip; // [1], the factor on the gradient
  private final Memory metrics; // [SLOTS, METRICS]

  StepProgram(StepContext bench) {
    this.bench = bench;
    encoder = EncoderProgram.training(bench);
    long values = (long) encoder.rows() * bench.vit().encoder().dim();
    dNormed = bench.matrix("d-normed", values);
    d = bench.matrix("d", values);
    parts = bench.doubles("parts", (long) METRICS * Operations.PARTS);
    boolean clips = bench.shape().clips();
    squares = clips ? bench.doubles("squares", Operations.PARTS) : null;
    clip = clips ? bench.floats("clip", 1) : Memory.NONE;
    metrics = bench.doubles("metrics", (long) SLOTS * METRICS);
    Sequences decodes = encoder.decoded();
    Sequences pooled = encoder.pooled();
    Objective objective = bench.spec().objective();
    decoder =
        objective == Objective.SL
            ? null
            : DecoderProgram.training(bench, encoder.embedding(), decodes);
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
    encoder.forward();
    if (decoder != null) {
      decoder.forward(encoder.normed());
      decoder.sum(parts);
    }
    if (head != null) {
      head.forward(encoder.normed());
      head.sum(parts.from(Operations.PARTS), parts.from(2L * Operations.PARTS));
    }
    Operations ops = bench.operations();
    ops.warps("step_metrics", METRICS, parts, bench.settings(), metrics, Operations.PARTS);
  }

  private void backward() {
    if (decoder != null) {
      decoder.backward(encoder.normed(), dNormed);
    }
    if (head != null) {
      head.backward(dNormed, ofHead);
    }
    encoder.backward(dNormed, d);
    Operations ops = bench.operations();
    Parameters parameters = bench.parameters();
    ops.each(
        "sum_slices",
        parameters.vectors(),
        parameters.slices(),
        parameters.vectorGradients(),
        ops.slices(),
        parameters.vectors());
    encoder.embedding().positionsBackward(d);
  }

  private void update() {
    Operations ops = bench.operations();
    Parameters parameters = bench.parameters();
    if (squares != null) {
      ops.gradientSquares(bench.blockSettings(), squares);
      ops.warps("clip_factor", 1, squares, bench.settings(), clip, Operations.PARTS);
    }
    GraphSpec spec = bench.spec();
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
            (float) spec.beta1(),
            (float) spec.beta2(),
            (float) AdamW.EPSILON);
  }
}
