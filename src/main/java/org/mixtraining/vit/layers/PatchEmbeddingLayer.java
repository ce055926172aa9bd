package org.mixtraining.vit.layers;

import java.util.List;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.mixtraining.kernels.Kernels;
import org.mixtraining.kernels.Matrix;
import org.mixtraining.vit.PatchEmbedding;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The passes of {@link PatchEmbedding}. */
public final class PatchEmbeddingLayer extends TokenLayer<PatchEmbedding> {
  private static final long serialVersionUID = 1L;

  public PatchEmbeddingLayer(NeuralNetConfiguration conf, DataType dataType) {
    super(conf, dataType);
  }

  @Override
  public INDArray activate(boolean training, LayerWorkspaceMgr workspaces) {
    int images = (int) input.size(0);
    TokenLayout layout = TokenLayout.of(vit(), layerConf().encoderInput(), images);
    INDArray output = output(workspaces, layout.rows(), vit().encoder().dim());
    Matrix pixels = view(input);
    Matrix patches = save("patches", layout.rows(), vit().architecture().patchValues());
    PatchMask patchMask = patchMask();
    Matrix tokens = Matrix.of(output);
    forEach(
        layout.chunks(1),
        (worker, chunk) ->
            embed(worker.kernels(), layout, chunk, pixels, patchMask, patches, tokens));
    return output;
  }

  private void embed(
      Kernels k,
      TokenLayout layout,
      TokenLayout.Chunk chunk,
      Matrix pixels,
      PatchMask patchMask,
      Matrix patches,
      Matrix tokens) {
    int firstImage = layout.firstImage(chunk);
    float[] images = pixels.rows(firstImage, firstImage + chunk.images()).read();
    Matrix x = patches.rows(chunk.fromRow(), chunk.toRow());
    float[] values = new float[x.rows() * x.cols()]; // class tokens' rows stay 0
    forEachPatch(
        layout,
        chunk,
        patchMask,
        (image, row, patch) -> Patches.copy(vit(), images, image, patch, values, row * x.cols()));
    x.write(values, 0);
    Matrix rows = tokens.rows(chunk.fromRow(), chunk.toRow());
    k.linear(x, parameter("weight"), parameter("bias"), rows);
    Matrix cls = parameter("cls");
    for (int i = 0; i < chunk.images(); i++) {
      int first = i * chunk.tokens();
      rows.rows(first, first + 1).copyFrom(cls);
    }
    float[] positions = PositionEmbedding.of(vit().grid(), vit().encoder().dim());
    Matrix learned = learned();
    forEachPatch(
        layout,
        chunk,
        patchMask,
        (image, row, patch) -> {
          addPosition(positions, rows, row, patch);
          if (learned != null) {
            rows.rows(row, row + 1).add(learned.rows(patch, patch + 1));
          }
        });
  }

  /** What was learned of positions, [patches, dim]; null where they are fixed. */
  private Matrix learned() {
    return vit().architecture().learnsPositions()
        ? parameter(PatchEmbedding.POSITIONS).slice(0, vit().patches(), vit().encoder().dim())
        : null;
  }

  private interface PatchRow {
    /** A patch of the chunk's i-th image, which is at a row of the chunk. */
    void at(int image, int row, int patch);
  }

  private static void forEachPatch(
      TokenLayout layout, TokenLayout.Chunk chunk, PatchMask patchMask, PatchRow body) {
    boolean masked = patchMask != null && chunk.toRow() <= layout.decoded().rows();
    int firstImage = layout.firstImage(chunk);
    for (int i = 0; i < chunk.images(); i++) {
      for (int t = 1; t < chunk.tokens(); t++) {
        int patch = masked ? patchMask.patch(firstImage + i, t - 1) : t - 1;
        body.at(i, i * chunk.tokens() + t, patch);
      }
    }
  }

  private PatchMask patchMask() {
    return layerConf().encoderInput().selects() ? PatchMask.of(maskArray, vit()) : null;
  }

  private void addPosition(float[] positions, Matrix rows, int row, int patch) {
    int dim = vit().encoder().dim();
    int at = (1 + patch) * dim;
    for (int d = 0; d < dim; d++) {
      rows.set(row, d, rows.get(row, d) + positions[at + d]);
    }
  }

  @Override
  public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr workspaces) {
    Matrix dTokens = view(epsilon);
    TokenLayout layout = TokenLayout.ofRows(vit(), layerConf().encoderInput(), dTokens.rows());
    Matrix patches = save("patches", layout.rows(), vit().architecture().patchValues());
    List<TokenLayout.Chunk> chunks = layout.chunks(1);
    PartialGradients partial = partialGradients(chunks.size());
    PatchMask patchMask = vit().architecture().learnsPositions() ? patchMask() : null;
    forEach(
        chunks,
        (worker, chunk) -> {
          Matrix d = dTokens.rows(chunk.fromRow(), chunk.toRow());
          Matrix x = patches.rows(chunk.fromRow(), chunk.toRow());
          Matrix weight = partial.of(chunk.index(), "weight");
          Matrix bias = partial.of(chunk.index(), "bias");
          Matrix cls = partial.of(chunk.index(), "cls");
          // A class token has no patch: its row of patches is zero, so it adds nothing to the
          // weight's gradient, but it must be kept out of the bias's.
          worker.kernels().linearWeightGradient(x, d, weight);
          worker.kernels().columnSum(d, bias);
          cls.fill(0);
          for (int row = 0; row < d.rows(); row += chunk.tokens()) {
            cls.add(d.rows(row, row + 1));
          }
          for (int c = 0; c < bias.cols(); c++) {
            bias.set(0, c, bias.get(0, c) - cls.get(0, c));
          }
          if (vit().architecture().learnsPositions()) {
            Matrix share = partial.of(chunk.index(), PatchEmbedding.POSITIONS);
            share.fill(0);
            Matrix positions = share.slice(0, vit().patches(), vit().encoder().dim());
            forEachPatch(
                layout,
                chunk,
                patchMask,
                (image, row, patch) -> positions.rows(patch, patch + 1).add(d.rows(row, row + 1)));
          }
        });
    partial.sum();
    return new Pair<>(gradients(), null);
  }
}
