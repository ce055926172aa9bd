package org.mixtraining.gpu;

import java.util.List;
import org.mixtraining.gpu.Operations.Kind;
import org.mixtraining.schedule.EncoderInput;
import org.mixtraining.vit.ViT;
import org.mixtraining.vit.ViTGraph;
import org.mixtraining.vit.layers.Sequences;

/**
 * The patch embedding: from images to the encoder's tokens, including the mask tokens of a
 * corrupted pass.
 */
final class EmbeddingProgram {

  private static final String LAYER = ViTGraph.PATCH_EMBEDDING + ".";
  private static final String MASK_TOKEN = ViTGraph.MASK_TOKEN + ".token";
  private static final String POSITIONS = LAYER + "positions";

  /** What a sequence holds, in the order of {@code tokens.cuh}. */
  enum Content {
    VISIBLE_PATCHES,
    ALL_PATCHES,
    MASKED_PATCHES
  }

  private final StepContext bench;
  private final List<Sequences> sequences;
  private final int dim;
  private final int rows;
  private final Memory source; // [rows], what each token is made of
  private final Memory patches; // [rows, values of a patch]
  private final Memory tokens; // [rows, dim]
  private final Memory positions; // [1 + patches, dim]
  private final Memory dPatches; // [rows, dim], what flows back to patches

  EmbeddingProgram(StepContext bench, List<Sequences> sequences) {
    this.bench = bench;
    this.sequences = sequences;
    ViT vit = bench.vit();
    dim = vit.encoder().dim();
    rows = Sequences.rows(sequences);
    source = bench.ints("source", rows);
    patches = bench.matrix("patches", (long) rows * vit.architecture().patchValues());
    tokens = bench.matrix("tokens", (long) rows * dim);
    positions = bench.positions(dim);
    dPatches = bench.matrix("d-branch", (long) rows * dim);
  }

  /** [rows, dim]. */
  Memory tokens() {
    return tokens;
  }

  /** [rows]. */
  Memory source() {
    return source;
  }

  void forward() {
    Operations ops = bench.operations();
    ViT vit = bench.vit();
    for (Sequences s : sequences) {
      Memory own = source.from(s.firstRow());
      sources(own, Memory.NONE, s, 0, content(s));
      ops.each(
          "gather_patches",
          (long) s.rows() * vit.architecture().patchValues(),
          bench.pixels(),
          source.from(s.firstRow()),
          patches.from((long) s.firstRow() * vit.architecture().patchValues()),
          (long) s.rows(),
          s.tokens(),
          vit.architecture().channels(),
          vit.served().imageSize(),
          vit.architecture().patch());
    }
    ops.linear(patches, LAYER + "weight", null, null, tokens, rows);
    Parameters parameters = bench.parameters();
    ops.fours(
        "embed_tokens",
        (long) rows * dim,
        tokens,
        source,
        parameters.values(LAYER + "bias"),
        parameters.values(LAYER + "cls"),
        corrupted() ? parameters.values(MASK_TOKEN) : Memory.NONE,
        positions,
        vit.architecture().learnsPositions() ? parameters.values(POSITIONS) : Memory.NONE,
        (long) rows,
        dim,
        vit.patches());
  }

  /** Says of each token what it is made of, and which token of the encoder it continues. */
  void sources(Memory source, Memory encoded, Sequences s, int encoderTokens, Content content) {
    bench
        .operations()
        .rows(
            "token_sources",
            s.images(),
            content == Content.ALL_PATCHES ? Memory.NONE : bench.mask(),
            source,
            encoded,
            s.images(),
            bench.vit().patches(),
            s.tokens(),
            encoderTokens,
            content.ordinal());
  }

  private Content content(Sequences s) {
    if (corrupted()) {
      return Content.MASKED_PATCHES;
    }
    boolean visible = bench.spec().encoderInput().selects() && s.equals(sequences.get(0));
    return visible ? Content.VISIBLE_PATCHES : Content.ALL_PATCHES;
  }

  private boolean corrupted() {
    return bench.spec().encoderInput() == EncoderInput.CORRUPTED;
  }

  /** From the gradient by the tokens, d[rows, dim]. */
  void backward(Memory d) {
    Operations ops = bench.operations();
    ViT vit = bench.vit();
    long all = rows;
    ops.fours("embed_gradient", all * dim, d, source, dPatches, (long) rows, dim, vit.patches());
    ops.linearBackward(patches, LAYER + "weight", dPatches, null, rows);
    ops.biasGradient(d, source, Kind.PATCH, vit.patches(), LAYER + "bias", all);
    ops.biasGradient(d, source, Kind.CLASS, vit.patches(), LAYER + "cls", all);
    if (corrupted()) {
      ops.biasGradient(d, source, Kind.MASK, vit.patches(), MASK_TOKEN, all);
    }
  }

  /** The gradient of learned positions, which is no sum over all rows: after those that are. */
  void positionsBackward(Memory d) {
    if (bench.vit().architecture().learnsPositions()) {
      bench
          .operations()
          .gpu()
          .launch(
              "position_gradient",
              bench.vit().patches(),
              Operations.THREADS,
              Operations.THREADS / Operations.WARP * dim * Float.BYTES,
              d,
              source,
              bench.parameters().gradient(POSITIONS),
              (long) rows,
              dim);
    }
  }
}
