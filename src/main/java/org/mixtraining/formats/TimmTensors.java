package org.mixtraining.formats;

import java.util.Arrays;
import java.util.SortedMap;
import java.util.TreeMap;
import org.mixtraining.formats.TimmWeights.Weight;
import org.mixtraining.vit.ModelSpec;
import org.mixtraining.vit.Served;
import org.mixtraining.vit.ViT;
import org.mixtraining.vit.ViTGraph;
import org.mixtraining.vit.layers.PositionEmbedding;

/**
 * A model's encoder and the head of one task under the names, and in the layout, of timm's {@code
 * VisionTransformer}: the reverse of {@link TimmWeights}. Fixed positions are written out, the
 * class token's as zeros.
 */
final class TimmTensors {
  private final ModelSpec spec;
  private final TrainedModel model;
  private final SortedMap<String, Weight> tensors = new TreeMap<>();

  private TimmTensors(TrainedModel model, ViT vit) {
    this.model = model;
    this.spec = ModelSpec.of(vit, model.card().heads());
  }

  /** The tensors by timm's names. */
  static SortedMap<String, Weight> of(TrainedModel model, ModelCard.Task task) {
    int classes = model.card().vit().served().classes();
    ViT vit = model.card().vit().serving(new Served(task.imageSize(), classes, 0));
    TimmTensors made = new TimmTensors(model, vit);
    made.embedding(vit);
    for (int i = 0; i < vit.encoder().depth(); i++) {
      made.block("blocks." + i + ".", ViTGraph.encoder(i) + ".");
    }
    made.norm("norm.", ViTGraph.ENCODER_NORM + ".");
    made.linear("head.", task.head().name() + ".");
    return made.tensors;
  }

  private void embedding(ViT vit) {
    String ours = ViTGraph.PATCH_EMBEDDING + ".";
    int dim = vit.encoder().dim();
    int patch = vit.architecture().patch();
    float[] positions = PositionEmbedding.of(vit.grid(), dim).clone();
    if (vit.architecture().learnsPositions()) {
      float[] learned = values(ours + "positions");
      for (int i = 0; i < learned.length; i++) {
        positions[dim + i] += learned[i];
      }
    }
    put("cls_token", values(ours + "cls"), 1, 1, dim);
    put("pos_embed", positions, 1, vit.fullTokens(), dim);
    put(
        "patch_embed.proj.weight",
        OnnxWeights.transposed(values(ours + "weight"), vit.architecture().patchValues()),
        dim,
        vit.architecture().channels(),
        patch,
        patch);
    vector("patch_embed.proj.bias", ours + "bias");
  }

  private void block(String theirs, String ours) {
    norm(theirs + "norm1.", ours + "norm1.");
    linear(theirs + "attn.qkv.", ours + "qkv.");
    linear(theirs + "attn.proj.", ours + "proj.");
    norm(theirs + "norm2.", ours + "norm2.");
    linear(theirs + "mlp.fc1.", ours + "fc1.");
    linear(theirs + "mlp.fc2.", ours + "fc2.");
  }

  private void linear(String theirs, String ours) {
    var matrix = spec.tensor(ours + "weight");
    float[] turned = OnnxWeights.transposed(values(ours + "weight"), matrix.rows());
    put(theirs + "weight", turned, matrix.cols(), matrix.rows());
    vector(theirs + "bias", ours + "bias");
  }

  private void norm(String theirs, String ours) {
    vector(theirs + "weight", ours + "gain");
    vector(theirs + "bias", ours + "bias");
  }

  private void vector(String theirs, String ours) {
    float[] values = values(ours);
    put(theirs, values, values.length);
  }

  private float[] values(String name) {
    return spec.read(model.state(), name);
  }

  private void put(String name, float[] values, int... shape) {
    if (Arrays.stream(shape).reduce(1, Math::multiplyExact) != values.length) {
      throw new IllegalStateException(
          "%s has %s values, not %s".formatted(name, values.length, Arrays.toString(shape)));
    }
    tensors.put(name, new Weight(shape, values));
  }
}
