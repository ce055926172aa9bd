package org.mixtraining.vit.layers;

import java.util.Arrays;
import java.util.List;
import org.deeplearning4j.nn.api.MaskState;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.mixtraining.kernels.Kernels;
import org.mixtraining.kernels.Matrix;
import org.mixtraining.vit.PixelReconstruction;
import org.mixtraining.vit.ViT;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The passes of {@link PixelReconstruction}. */
public final class PixelReconstructionLayer extends LossLayer<PixelReconstruction> {
  private static final long serialVersionUID = 1L;

  private transient PatchMask patchMask;

  public PixelReconstructionLayer(NeuralNetConfiguration conf, DataType dataType) {
    super(conf, dataType);
  }

  @Override
  double weight() {
    return context().sslWeight();
  }

  /** What the forward pass keeps for the backward pass. */
  private record Saved(Matrix normed, Matrix stats) {}

  private Saved saved(Matrix x) {
    return new Saved(save("normed", x.rows(), x.cols()), save("stats", x.rows(), 2));
  }

  /** Predicted patches, [images · (1 + patches), patchValues]; class tokens' rows mean nothing. */
  @Override
  public INDArray activate(boolean training, LayerWorkspaceMgr workspaces) {
    Matrix x = view(input);
    INDArray output = output(workspaces, x.rows(), vit().architecture().patchValues());
    Matrix prediction = Matrix.of(output);
    Saved s = saved(x);
    forEach(spans(x), (worker, span) -> predict(worker.kernels(), span, x, s, prediction));
    return output;
  }

  private List<Span> spans(Matrix x) {
    return Span.of(x.rows() / vit().fullTokens(), vit().fullTokens());
  }

  private void predict(Kernels k, Span span, Matrix x, Saved s, Matrix prediction) {
    int tokens = vit().fullTokens();
    Matrix normed = span.rows(s.normed, tokens);
    Matrix stats = span.rows(s.stats, tokens);
    Matrix gain = parameter("gain");
    k.layerNorm(span.rows(x, tokens), gain, parameter("bias"), ViT.EPSILON, normed, stats);
    Matrix bias = parameter("projection-bias");
    k.linear(normed, parameter("weight"), bias, span.rows(prediction, tokens));
  }

  @Override
  public Pair<INDArray, MaskState> feedForwardMaskArray(
      INDArray mask, MaskState state, int images) {
    // Read now: the graph clears masks before it asks an output layer for its score.
    patchMask = PatchMask.of(mask, vit());
    return super.feedForwardMaskArray(mask, state, images);
  }

  @Override
  double loss(Matrix x, Matrix images, double weight) {
    int tokens = vit().fullTokens();
    int values = vit().architecture().patchValues();
    Matrix target = scratch("pixels-target", x.rows(), values);
    Matrix hidden = scratch("pixels-hidden", x.rows(), 1);
    Matrix prediction = scratch("pixels-prediction", x.rows(), values);
    Matrix dPrediction = save("d-prediction", x.rows(), values);
    int hiddenPatches = vit().patches() - vit().visiblePatches();
    long count = (long) images.rows() * hiddenPatches * values;
    float scale = (float) (weight / count);
    List<Span> spans = spans(x);
    double[] losses = new double[spans.size()];
    Saved s = saved(x);
    forEach(
        spans,
        (worker, span) -> {
          targets(span, images, target, hidden);
          predict(worker.kernels(), span, x, s, prediction);
          losses[span.index()] =
              worker
                  .kernels()
                  .maskedSquaredError(
                      span.rows(prediction, tokens),
                      span.rows(target, tokens),
                      span.rows(hidden, tokens),
                      scale,
                      span.rows(dPrediction, tokens));
        });
    return Arrays.stream(losses).sum() / count;
  }

  @Override
  void backward(Matrix x, Matrix dInput) {
    int tokens = vit().fullTokens();
    Saved s = saved(x);
    Matrix dPrediction = save("d-prediction", x.rows(), vit().architecture().patchValues());
    List<Span> spans = spans(x);
    PartialGradients partial = partialGradients(spans.size());
    forEach(
        spans,
        (worker, span) -> {
          Kernels k = worker.kernels();
          Matrix dy = span.rows(dPrediction, tokens);
          Matrix dNormed = worker.scratch("pixels-normed", dy.rows(), x.cols());
          int i = span.index();
          k.linearBackward(
              span.rows(s.normed, tokens),
              parameter("weight"),
              dy,
              dNormed,
              partial.of(i, "weight"),
              partial.of(i, "projection-bias"));
          k.layerNormBackward(
              dNormed,
              span.rows(x, tokens),
              span.rows(s.stats, tokens),
              parameter("gain"),
              null,
              span.rows(dInput, tokens),
              partial.of(i, "gain"),
              partial.of(i, "bias"));
        });
    partial.sum();
  }

  /** Sets the targets of the masked patches of some images. */
  private void targets(Span span, Matrix images, Matrix target, Matrix hidden) {
    int tokens = vit().fullTokens();
    float[] pixels = span.rows(images, 1).read();
    Matrix rows = span.rows(target, tokens);
    float[] targets = new float[rows.rows() * rows.cols()];
    float[] flags = new float[rows.rows()];
    float[] patch = new float[rows.cols()];
    for (int i = span.from(); i < span.to(); i++) {
      int image = i - span.from();
      for (int p = 0; p < vit().patches(); p++) {
        if (patchMask.token(i, p) == 0) {
          Patches.copy(vit(), pixels, image, p, patch, 0);
          if (vit().architecture().normPix()) {
            Patches.normalise(patch);
          }
          int row = image * tokens + 1 + p;
          System.arraycopy(patch, 0, targets, row * patch.length, patch.length);
          flags[row] = 1;
        }
      }
    }
    rows.write(targets, 0);
    span.rows(hidden, tokens).write(flags, 0);
  }
}
