package org.mixtraining.formats;

import static org.mixtraining.formats.OnnxNodes.attribute;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.mixtraining.vit.PatchEmbedding;
import org.mixtraining.vit.ViT;
import org.mixtraining.vit.ViTGraph;
import org.mixtraining.vit.layers.PositionEmbedding;

/**
 * The forward pass of the encoder as nodes of an ONNX graph.
 *
 * @param scope prefix of its node names; weights are shared between passes
 */
record OnnxEncoder(String scope, ViT vit, OnnxWeights weights, OnnxNodes graph) {
  /** Name of the output: [N, dim]. */
  String features() {
    return scope + "features";
  }

  /**
   * Adds the pass.
   *
   * @param images the graph's input, which has the number of images
   * @param pixels [N, channels, size, size], not normalised
   * @return {@link #features}
   */
  String encode(String images, String pixels, OnnxModel.Output output) {
    String x = embed(images, normalise(pixels, output));
    for (int i = 0; i < vit.encoder().depth(); i++) {
      x = block(ViTGraph.encoder(i), x);
    }
    x = norm(ViTGraph.ENCODER_NORM, "", x);
    return pool(x);
  }

  private String normalise(String pixels, OnnxModel.Output output) {
    int channels = output.mean().size();
    float[] mean = new float[channels];
    float[] std = new float[channels];
    for (int c = 0; c < channels; c++) {
      mean[c] = (float) (255 * output.mean().get(c));
      std[c] = (float) (255 * output.std().get(c));
    }
    String means = graph.constant(scope + "mean", mean, 1, channels, 1, 1);
    String stds = graph.constant(scope + "std", std, 1, channels, 1, 1);
    String x = graph.node(scope + "centred", "Sub", List.of(pixels, means));
    x = graph.node(scope + "normalised", "Div", List.of(x, stds));
    return channels == vit.architecture().channels()
        ? x
        : graph.node(
            scope + "coloured",
            "Concat",
            Collections.nCopies(vit.architecture().channels(), x),
            attribute("axis", 1));
  }

  /** To tokens, [N, 1 + patches, dim]. */
  private String embed(String images, String x) {
    int dim = vit.encoder().dim();
    int p = vit.architecture().patch();
    float[] weight = weights.transposed(ViTGraph.PATCH_EMBEDDING + ".weight");
    String kernel =
        graph.constant("patch-embedding.kernel", weight, dim, vit.architecture().channels(), p, p);
    String bias = weights.constant(ViTGraph.PATCH_EMBEDDING + ".bias", dim);
    List<Long> side = List.of((long) p, (long) p);
    x =
        graph.node(
            scope + "patches",
            "Conv",
            List.of(x, kernel, bias),
            attribute("kernel_shape", side),
            attribute("strides", side));
    String flat = graph.constant("patches.shape", 0, dim, vit.patches());
    x = graph.node(scope + "flat", "Reshape", List.of(x, flat));
    x = transpose(scope + "tokens", x, 0, 2, 1);
    float[] all = PositionEmbedding.of(vit.grid(), dim);
    float[] positions = Arrays.copyOfRange(all, dim, all.length);
    if (vit.architecture().learnsPositions()) {
      float[] learned = weights.values(ViTGraph.PATCH_EMBEDDING + "." + PatchEmbedding.POSITIONS);
      for (int i = 0; i < positions.length; i++) {
        positions[i] += learned[i];
      }
    }
    String embedding = graph.constant("positions", positions, 1, vit.patches(), dim);
    x = graph.node(scope + "placed", "Add", List.of(x, embedding));

    String batch =
        graph.node(
            scope + "batch", "Shape", List.of(images), attribute("start", 0), attribute("end", 1));
    String one = graph.constant("cls.shape", 1, dim);
    String shape = graph.node(scope + "shape", "Concat", List.of(batch, one), attribute("axis", 0));
    String cls =
        graph.constant("cls", weights.values(ViTGraph.PATCH_EMBEDDING + ".cls"), 1, 1, dim);
    String classTokens = graph.node(scope + "cls-tokens", "Expand", List.of(cls, shape));
    return graph.node(scope + "embedded", "Concat", List.of(classTokens, x), attribute("axis", 1));
  }

  private String block(String layer, String input) {
    String at = scope + layer + "/";
    int dim = vit.encoder().dim();
    int heads = vit.encoder().heads();
    int width = dim / heads;

    // attention
    String x = norm(layer, "norm1.", input);
    x = linear(layer, "qkv", x, dim, 3 * dim);
    String split = graph.constant("qkv.shape", 0, 0, 3, heads, width);
    x = graph.node(at + "split", "Reshape", List.of(x, split));
    x = transpose(at + "parts", x, 2, 0, 3, 1, 4);
    String q = part(at + "q", x, 0);
    String k = transpose(at + "k-transposed", part(at + "k", x, 1), 0, 1, 3, 2);
    String v = part(at + "v", x, 2);
    float[] factor = {(float) (1 / Math.sqrt(width))};
    String scale = graph.constant("attention.scale", factor);
    x = graph.node(at + "products", "MatMul", List.of(q, k));
    x = graph.node(at + "scaled", "Mul", List.of(x, scale));
    x = graph.node(at + "weights", "Softmax", List.of(x), attribute("axis", -1));
    x = graph.node(at + "weighed", "MatMul", List.of(x, v));
    x = transpose(at + "by-token", x, 0, 2, 1, 3);
    String joined = graph.constant("tokens.shape", 0, 0, dim);
    x = graph.node(at + "attended", "Reshape", List.of(x, joined));
    x = linear(layer, "proj", x, dim, dim);
    String middle = graph.node(at + "middle", "Add", List.of(input, x));

    // mlp
    int hidden = vit.encoder().hidden();
    x = norm(layer, "norm2.", middle);
    x = linear(layer, "fc1", x, dim, hidden);
    x = gelu(at, x);
    x = linear(layer, "fc2", x, hidden, dim);
    return graph.node(at + "output", "Add", List.of(middle, x));
  }

  private String part(String name, String parts, int index) {
    String at = graph.constant("part." + index, new long[] {index});
    String one = graph.node(name + "-part", "Gather", List.of(parts, at), attribute("axis", 0));
    String axis = graph.constant("first-axis", 0);
    return graph.node(name, "Squeeze", List.of(one, axis));
  }

  private String norm(String layer, String tensor, String x) {
    String gain = weights.constant(layer + "." + tensor + "gain", vit.encoder().dim());
    String bias = weights.constant(layer + "." + tensor + "bias", vit.encoder().dim());
    return graph.node(
        scope + layer + "/" + tensor + "normalised",
        "LayerNormalization",
        List.of(x, gain, bias),
        attribute("axis", -1),
        attribute("epsilon", ViT.EPSILON));
  }

  private String linear(String layer, String tensor, String x, int from, int to) {
    String weight = weights.constant(layer + "." + tensor + ".weight", from, to);
    String bias = weights.constant(layer + "." + tensor + ".bias", to);
    String name = scope + layer + "/" + tensor;
    String product = graph.node(name + "-product", "MatMul", List.of(x, weight));
    return graph.node(name, "Add", List.of(product, bias));
  }

  /** x · (1 + erf(x / √2)) / 2. */
  private String gelu(String at, String x) {
    String root = graph.constant("gelu.root", new float[] {(float) Math.sqrt(0.5)});
    String one = graph.constant("gelu.one", new float[] {1});
    String half = graph.constant("gelu.half", new float[] {0.5f});
    String erf = graph.node(at + "gelu-scaled", "Mul", List.of(x, root));
    erf = graph.node(at + "gelu-erf", "Erf", List.of(erf));
    erf = graph.node(at + "gelu-sum", "Add", List.of(erf, one));
    erf = graph.node(at + "gelu-half", "Mul", List.of(erf, half));
    return graph.node(at + "gelu", "Mul", List.of(x, erf));
  }

  private String pool(String x) {
    return switch (vit.architecture().pooling()) {
      case CLS -> {
        String first = graph.constant("part.0", 0);
        String cls =
            graph.node(scope + "cls-token", "Gather", List.of(x, first), attribute("axis", 1));
        String axis = graph.constant("token-axis", 1);
        yield graph.node(features(), "Squeeze", List.of(cls, axis));
      }
      case MEAN -> {
        String from = graph.constant("one", 1);
        String to = graph.constant("end", Long.MAX_VALUE);
        String axis = graph.constant("token-axis", 1);
        String tokens = graph.node(scope + "patch-tokens", "Slice", List.of(x, from, to, axis));
        yield graph.node(
            features(),
            "ReduceMean",
            List.of(tokens),
            attribute("axes", List.of(1L)),
            attribute("keepdims", 0));
      }
    };
  }

  private String transpose(String name, String x, long... order) {
    List<Long> perm = Arrays.stream(order).boxed().toList();
    return graph.node(name, "Transpose", List.of(x), attribute("perm", perm));
  }
}
