package org.mixtraining.gpu;

import java.util.ArrayList;
import java.util.List;
import org.mixtraining.gpu.EmbeddingProgram.Content;
import org.mixtraining.gpu.Operations.Kind;
import org.mixtraining.gpu.Operations.Residual;
import org.mixtraining.schedule.EncoderInput;
import org.mixtraining.vit.ViT;
import org.mixtraining.vit.ViTGraph;
import org.mixtraining.vit.layers.Sequences;

/** Forward and backward pass of the decoder: from the encoder's tokens to pixels and their loss. */
final class DecoderProgram {

  private static final String EMBEDDING = ViTGraph.DECODER_EMBEDDING + ".";
  private static final String PIXELS = ViTGraph.PIXELS + ".";

  private final StepContext bench;
  private final EmbeddingProgram embedding;
  private final Sequences encoder; // the encoder's tokens that are decoded
  private final Sequences decoder;
  private final int dim;
  private final int values; // of a patch
  private final Memory source; // [rows]
  private final Memory encoded; // [rows], which token of the encoder each continues
  private final Memory positions; // [1 + patches, dim]
  private final Memory mapped; // [encoder rows, dim]
  private final Memory tokens; // [rows, dim]
  private final List<BlockProgram> blocks = new ArrayList<>();
  private final Memory decoded; // [rows, dim]
  private final Memory normed; // [rows, dim]
  private final Memory stats; // [rows, 2]
  private final Memory prediction; // [rows, values]
  private final Memory dPrediction; // [rows, values]
  private final Memory dNormed; // [rows, dim]
  private final Memory dMapped; // [encoder rows, dim]
  private final Memory d; // [rows, dim]
  private final Memory losses; // [rows]

  /** Of a training step: every block keeps what its backward pass needs. */
  static DecoderProgram training(StepContext bench, EmbeddingProgram embedding, Sequences encoder) {
    return new DecoderProgram(bench, embedding, encoder, true);
  }

  /** Of a prediction, which goes forward only: the blocks share their memory. */
  static DecoderProgram predicting(
      StepContext bench, EmbeddingProgram embedding, Sequences encoder) {
    return new DecoderProgram(bench, embedding, encoder, false);
  }

  private DecoderProgram(
      StepContext bench, EmbeddingProgram embedding, Sequences encoder, boolean trains) {
    this.bench = bench;
    this.embedding = embedding;
    this.encoder = encoder;
    ViT vit = bench.vit();
    decoder = new Sequences(0, bench.images(), vit.fullTokens());
    dim = vit.decoder().dim();
    values = vit.architecture().patchValues();
    long rows = decoder.rows();
    source = bench.ints("decoder-source", rows);
    encoded = bench.ints("decoder-encoded", rows);
    positions = bench.positions(dim);
    mapped = bench.matrix("decoder-mapped", (long) encoder.rows() * dim);
    tokens = bench.matrix("decoder-tokens", rows * dim);
    Memory last = tokens;
    for (int i = 0; i < vit.decoder().depth(); i++) {
      String name = ViTGraph.decoder(i);
      List<Sequences> all = List.of(decoder);
      BlockProgram block =
          trains
              ? BlockProgram.training(bench, name, last, vit.decoder(), all, null)
              : BlockProgram.predicting(bench, name, last, vit.decoder(), all);
      blocks.add(block);
      last = block.output();
    }
    decoded = last;
    normed = bench.matrix("pixels-normed", rows * dim);
    stats = bench.floats("pixels-stats", rows * 2);
    prediction = bench.floats("pixels-prediction", rows * values);
    dPrediction = bench.matrix("pixels-d-prediction", rows * values);
    dNormed = bench.matrix("d-norm", rows * dim);
    dMapped = bench.matrix("decoder-d-mapped", (long) encoder.rows() * dim);
    d = bench.matrix("d", rows * dim);
    losses = bench.floats("pixels-losses", rows);
  }

  /** Values of all masked patches of a minibatch. */
  static long hiddenValues(ViT vit, int images) {
    int hidden = vit.patches() - vit.visiblePatches();
    return (long) images * hidden * vit.architecture().patchValues();
  }

  /** [rows, values], what is predicted of each patch, behind a row that means nothing. */
  Memory prediction() {
    return prediction;
  }

  /** From x[encoder rows, dim of the encoder] to the prediction. */
  void predict(Memory x) {
    Operations ops = bench.operations();
    Parameters parameters = bench.parameters();
    embedding.sources(source, encoded, decoder, encoder.tokens(), content());
    ops.linear(x, EMBEDDING + "weight", null, null, mapped, encoder.rows());
    ops.fours(
        "decoder_tokens",
        (long) decoder.rows() * dim,
        mapped,
        encoded,
        parameters.values(EMBEDDING + "bias"),
        parameters.values(EMBEDDING + "mask"),
        positions,
        tokens,
        (long) decoder.rows(),
        decoder.tokens(),
        dim);
    blocks.forEach(BlockProgram::forward);
    ops.norm(decoded, PIXELS, normed, stats, decoder.rows());
    ops.linear(
        normed, PIXELS + "weight", PIXELS + "projection-bias", null, prediction, decoder.rows());
  }

  /** From x[encoder rows, dim of the encoder] to the loss. */
  void forward(Memory x) {
    predict(x);
    Operations ops = bench.operations();
    ViT vit = bench.vit();
    ops.rows(
        "pixel_loss",
        decoder.rows(),
        prediction,
        bench.pixels(),
        bench.mask(),
        bench.settings(),
        dPrediction,
        losses,
        bench.images(),
        vit.architecture().channels(),
        vit.served().imageSize(),
        vit.architecture().patch(),
        vit.architecture().normPix() ? 1 : 0,
        (float) hiddenValues(vit, bench.images()));
  }

  /** After a corrupted pass, the encoder has a token for every patch. */
  private Content content() {
    return bench.spec().encoderInput() == EncoderInput.CORRUPTED
        ? Content.ALL_PATCHES
        : Content.MASKED_PATCHES;
  }

  /** parts[PARTS], whose sum is that of the squared errors. */
  void sum(Memory parts) {
    bench.operations().partialSums(losses, parts, decoder.rows());
  }

  /** To dx[encoder rows, dim of the encoder], which is overwritten. */
  void backward(Memory x, Memory dx) {
    Operations ops = bench.operations();
    long rows = decoder.rows();
    ops.biasGradient(dPrediction, PIXELS + "projection-bias", rows);
    ops.linearBackward(normed, PIXELS + "weight", dPrediction, dNormed, decoder.rows());
    ops.normBackward(
        dNormed,
        decoded,
        PIXELS,
        stats,
        d,
        BlockProgram.lastBias(blocks),
        Residual.OVERWRITE,
        rows);
    BlockProgram.backward(blocks);
    ops.biasGradient(d, source, Kind.MASK, bench.vit().patches(), EMBEDDING + "mask", rows);
    ops.fours(
        "decoder_gradient",
        (long) encoder.rows() * dim,
        d,
        embedding.source(),
        dMapped,
        (long) encoder.rows(),
        encoder.tokens(),
        decoder.tokens(),
        dim);
    ops.biasGradient(dMapped, EMBEDDING + "bias", encoder.rows());
    ops.linearBackward(x, EMBEDDING + "weight", dMapped, dx, encoder.rows());
  }
}
