package org.mixtraining.vit.layers;

import java.util.List;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.mixtraining.kernels.Kernels;
import org.mixtraining.kernels.Matrix;
import org.mixtraining.schedule.EncoderInput;
import org.mixtraining.vit.DecoderEmbedding;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The passes of {@link DecoderEmbedding}. */
public final class DecoderEmbeddingLayer extends TokenLayer<DecoderEmbedding> {
  private static final long serialVersionUID = 1L;

  public DecoderEmbeddingLayer(NeuralNetConfiguration conf, DataType dataType) {
    super(conf, dataType);
  }

  @Override
  public INDArray activate(boolean training, LayerWorkspaceMgr workspaces) {
    Matrix encoded = view(input);
    Sequences group = layout(encoded.rows()).decoded();
    PatchMask patchMask = PatchMask.of(maskArray, vit());
    int width = vit().decoder().dim();
    int tokens = vit().fullTokens();
    INDArray output = output(workspaces, group.images() * tokens, width);
    Matrix decoder = Matrix.of(output);
    forEach(
        Span.of(group.images(), tokens),
        (worker, span) -> {
          Matrix x = span.rows(encoded, group.tokens());
          Matrix mapped = worker.scratch("decoder-mapped", x.rows(), width);
          worker.kernels().linear(x, parameter("weight"), parameter("bias"), mapped);
          for (int i = span.from(); i < span.to(); i++) {
            int from = (i - span.from()) * group.tokens();
            place(patchMask, i, mapped.rows(from, from + group.tokens()), decoder);
          }
        });
    return output;
  }

  /** Puts an image's tokens where they belong, mask tokens between them, and adds positions. */
  private void place(PatchMask patchMask, int image, Matrix mapped, Matrix decoder) {
    float[] positions = PositionEmbedding.of(vit().grid(), vit().decoder().dim());
    int to = image * vit().fullTokens();
    decoder.rows(to, to + 1).copyFrom(mapped.rows(0, 1));
    for (int p = 0; p < vit().patches(); p++) {
      int token = token(patchMask, image, p);
      Matrix source = token == 0 ? parameter("mask") : mapped.rows(token, token + 1);
      int at = (1 + p) * source.cols();
      for (int d = 0; d < source.cols(); d++) {
        decoder.set(to + 1 + p, d, source.get(0, d) + positions[at + d]);
      }
    }
  }

  @Override
  public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr workspaces) {
    Matrix dDecoder = view(epsilon);
    Matrix encoded = view(input);
    Sequences group = layout(encoded.rows()).decoded();
    PatchMask patchMask = PatchMask.of(maskArray, vit());
    INDArray inputGradient = inputGradient(workspaces, encoded.rows(), vit().encoder().dim());
    Matrix dx = Matrix.of(inputGradient);
    List<Span> spans = Span.of(group.images(), vit().fullTokens());
    PartialGradients partial = partialGradients(spans.size());
    forEach(
        spans,
        (worker, span) -> {
          Kernels k = worker.kernels();
          Matrix x = span.rows(encoded, group.tokens());
          Matrix dMapped = worker.scratch("decoder-mapped", x.rows(), vit().decoder().dim());
          Matrix dMask = partial.of(span.index(), "mask");
          dMask.fill(0);
          for (int i = span.from(); i < span.to(); i++) {
            int from = (i - span.from()) * group.tokens();
            gather(patchMask, i, dDecoder, dMapped.rows(from, from + group.tokens()), dMask);
          }
          k.linearBackward(
              x,
              parameter("weight"),
              dMapped,
              span.rows(dx, group.tokens()),
              partial.of(span.index(), "weight"),
              partial.of(span.index(), "bias"));
        });
    partial.sum();
    if (group.rows() < dx.rows()) {
      dx.rows(group.rows(), dx.rows()).fill(0);
    }
    return new Pair<>(gradients(), inputGradient);
  }

  /** The reverse of {@link #place}: gradients of an image's tokens, and of the mask token. */
  private void gather(
      PatchMask patchMask, int image, Matrix dDecoder, Matrix dMapped, Matrix dMask) {
    int to = image * vit().fullTokens();
    dMapped.rows(0, 1).copyFrom(dDecoder.rows(to, to + 1));
    for (int p = 0; p < vit().patches(); p++) {
      int token = token(patchMask, image, p);
      Matrix d = dDecoder.rows(to + 1 + p, to + 2 + p);
      if (token == 0) {
        dMask.add(d);
      } else {
        dMapped.rows(token, token + 1).copyFrom(d);
      }
    }
  }

  /** The encoder token that a patch's decoder token is made of; 0 is the mask token. */
  private int token(PatchMask patchMask, int image, int patch) {
    return layerConf().encoderInput() == EncoderInput.CORRUPTED
        ? 1 + patch
        : patchMask.token(image, patch);
  }

  private TokenLayout layout(int rows) {
    return TokenLayout.ofRows(vit(), layerConf().encoderInput(), rows);
  }
}
