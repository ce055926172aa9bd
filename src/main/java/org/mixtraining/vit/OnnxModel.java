package org.mixtraining.vit;

import static org.mixtraining.vit.OnnxNodes.attribute;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import onnx.Onnx.AttributeProto;
import onnx.Onnx.ModelProto;
import onnx.Onnx.OperatorSetIdProto;
import onnx.Onnx.StringStringEntryProto;
import onnx.Onnx.TensorProto.DataType;

/**
 * Encoder and heads as an <a href="https://onnx.ai">ONNX</a> model (opset 17).
 *
 * <p>Its input {@code images}, uint8 [N, channels, height, width], takes pixels as they are in a
 * file, 0 to 255; that they are normalised is part of the graph. Its outputs are float32: {@code
 * probabilities} [N, classes] of the only task, or {@code probabilities-TASK} of each.
 */
public final class OnnxModel {

  /** LayerNormalization came with 17. */
  private static final int OPSET = 17;

  private static final int IR_VERSION = 8;
  private static final String IMAGES = "images";

  private final ViT vit;
  private final ModelState state;
  private final StateLayout layout;
  private final OnnxNodes graph = new OnnxNodes("mixtraining");

  /**
   * What the model says of a task's images.
   *
   * @param name of the output
   * @param mean of each channel of the images, pixels scaled to [0, 1]
   * @param std standard deviation of each channel
   */
  public record Output(String name, Head head, List<Double> mean, List<Double> std) {
    public Output {
      mean = List.copyOf(mean);
      std = List.copyOf(std);
    }

    private boolean seesAs(Output other) {
      return mean.equals(other.mean) && std.equals(other.std);
    }
  }

  private OnnxModel(ViT vit, ModelState state, List<Head> heads) {
    this.vit = vit;
    this.state = state;
    this.layout = StateLayout.of(vit, heads);
  }

  /**
   * The model as bytes of a file.
   *
   * @param vit for images of the outputs' size
   * @param outputs at least one; the images of all have the same shape
   * @param notes kept as the model's metadata
   */
  public static byte[] of(
      ViT vit, ModelState state, List<Output> outputs, Map<String, String> notes) {
    List<Head> heads = outputs.stream().map(Output::head).toList();
    var model = new OnnxModel(vit, state, heads);
    model.write(outputs);
    ModelProto.Builder file =
        ModelProto.newBuilder()
            .setIrVersion(IR_VERSION)
            .setProducerName("mixtraining")
            .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(OPSET))
            .setGraph(model.graph.build());
    notes.forEach(
        (key, value) ->
            file.addMetadataProps(StringStringEntryProto.newBuilder().setKey(key).setValue(value)));
    return file.build().toByteArray();
  }

  private void write(List<Output> outputs) {
    Output first = outputs.get(0);
    int channels = first.mean().size();
    graph.bytesInput(
        IMAGES,
        "pixels as in an image file, 0 to 255, by channel (RGB); the model normalises them",
        channels,
        vit.imageSize(),
        vit.imageSize());
    String pixels = graph.node("pixels", "Cast", List.of(IMAGES), type(DataType.FLOAT));
    for (int i = 0; i < outputs.size(); i++) {
      Output output = outputs.get(i);
      // Tasks whose images are normalised alike share a pass through the encoder.
      int pass = 0;
      while (!outputs.get(pass).seesAs(output)) {
        pass++;
      }
      String scope = "pass-" + pass + "/";
      String features = pass == i ? encode(scope, pixels, output) : scope + "features";
      classify(features, output);
    }
  }

  private static AttributeProto type(DataType type) {
    return attribute("to", type.getNumber());
  }

  // --- encoder ---------------------------------------------------------------------------------

  /** [N, channels, size, size] to [N, dim]. */
  private String encode(String scope, String pixels, Output output) {
    String x = embed(scope, normalise(scope, pixels, output));
    for (int i = 0; i < vit.depth(); i++) {
      x = block(scope, ViTGraph.ENCODER_LAYER + i, x);
    }
    x = norm(scope, ViTGraph.ENCODER_NORM, "", x);
    return pool(scope, x);
  }

  private String normalise(String scope, String pixels, Output output) {
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
    return channels == vit.channels()
        ? x
        : graph.node(
            scope + "coloured",
            "Concat",
            Collections.nCopies(vit.channels(), x),
            attribute("axis", 1));
  }

  /** To tokens, [N, 1 + patches, dim]. */
  private String embed(String scope, String images) {
    int dim = vit.dim();
    int p = vit.patch();
    float[] weight = transposed(ViTGraph.PATCH_EMBEDDING + ".weight");
    String kernel = graph.constant("patch-embedding.kernel", weight, dim, vit.channels(), p, p);
    String bias = tensor(ViTGraph.PATCH_EMBEDDING + ".bias", dim);
    List<Long> side = List.of((long) p, (long) p);
    String x =
        graph.node(
            scope + "patches",
            "Conv",
            List.of(images, kernel, bias),
            attribute("kernel_shape", side),
            attribute("strides", side));
    String flat = graph.constant("patches.shape", 0, dim, vit.patches());
    x = graph.node(scope + "flat", "Reshape", List.of(x, flat));
    x = transpose(scope + "tokens", x, 0, 2, 1);
    float[] all = PositionEmbedding.of(vit.grid(), dim);
    float[] positions = Arrays.copyOfRange(all, dim, all.length);
    if (vit.learnsPositions()) {
      float[] learned =
          layout.read(state, ViTGraph.PATCH_EMBEDDING + "." + PatchEmbedding.POSITIONS);
      for (int i = 0; i < positions.length; i++) {
        positions[i] += learned[i];
      }
    }
    String places = graph.constant("positions", positions, 1, vit.patches(), dim);
    x = graph.node(scope + "placed", "Add", List.of(x, places));

    String batch =
        graph.node(
            scope + "batch", "Shape", List.of(IMAGES), attribute("start", 0), attribute("end", 1));
    String one = graph.constant("cls.shape", 1, dim);
    String shape = graph.node(scope + "shape", "Concat", List.of(batch, one), attribute("axis", 0));
    String cls =
        graph.constant("cls", layout.read(state, ViTGraph.PATCH_EMBEDDING + ".cls"), 1, 1, dim);
    String classTokens = graph.node(scope + "cls-tokens", "Expand", List.of(cls, shape));
    return graph.node(scope + "embedded", "Concat", List.of(classTokens, x), attribute("axis", 1));
  }

  private String block(String scope, String layer, String input) {
    String at = scope + layer + "/";
    int dim = vit.dim();
    int heads = vit.heads();
    int width = dim / heads;

    // attention
    String x = norm(scope, layer, "norm1.", input);
    x = linear(scope, layer, "qkv", x, dim, 3 * dim);
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
    x = linear(scope, layer, "proj", x, dim, dim);
    String middle = graph.node(at + "middle", "Add", List.of(input, x));

    // mlp
    int hidden = ViT.MLP_RATIO * dim;
    x = norm(scope, layer, "norm2.", middle);
    x = linear(scope, layer, "fc1", x, dim, hidden);
    x = gelu(at, x);
    x = linear(scope, layer, "fc2", x, hidden, dim);
    return graph.node(at + "output", "Add", List.of(middle, x));
  }

  private String part(String name, String parts, int index) {
    String at = graph.constant("part." + index, new long[] {index});
    String one = graph.node(name + "-part", "Gather", List.of(parts, at), attribute("axis", 0));
    String axis = graph.constant("first-axis", 0);
    return graph.node(name, "Squeeze", List.of(one, axis));
  }

  private String norm(String scope, String layer, String tensor, String x) {
    String gain = tensor(layer + "." + tensor + "gain", vit.dim());
    String bias = tensor(layer + "." + tensor + "bias", vit.dim());
    return graph.node(
        scope + layer + "/" + tensor + "normalised",
        "LayerNormalization",
        List.of(x, gain, bias),
        attribute("axis", -1),
        attribute("epsilon", ViT.EPSILON));
  }

  private String linear(String scope, String layer, String tensor, String x, int from, int to) {
    String weight = tensor(layer + "." + tensor + ".weight", from, to);
    String bias = tensor(layer + "." + tensor + ".bias", to);
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

  // --- head ------------------------------------------------------------------------------------

  private String pool(String scope, String x) {
    return switch (vit.pooling()) {
      case CLS -> {
        String first = graph.constant("part.0", 0);
        String cls =
            graph.node(scope + "cls-token", "Gather", List.of(x, first), attribute("axis", 1));
        String axis = graph.constant("token-axis", 1);
        yield graph.node(scope + "features", "Squeeze", List.of(cls, axis));
      }
      case MEAN -> {
        String from = graph.constant("one", 1);
        String to = graph.constant("end", Long.MAX_VALUE);
        String axis = graph.constant("token-axis", 1);
        String tokens = graph.node(scope + "patch-tokens", "Slice", List.of(x, from, to, axis));
        yield graph.node(
            scope + "features",
            "ReduceMean",
            List.of(tokens),
            attribute("axes", List.of(1L)),
            attribute("keepdims", 0));
      }
    };
  }

  private void classify(String features, Output output) {
    String layer = output.head().name();
    int classes = output.head().classes();
    String weight = tensor(layer + ".weight", vit.dim(), classes);
    String bias = tensor(layer + ".bias", classes);
    String logits = graph.node(layer + "/logits", "Gemm", List.of(features, weight, bias));
    graph.node(output.name(), "Softmax", List.of(logits), attribute("axis", -1));
    graph.output(output.name(), "class probabilities", classes);
  }

  // --- tensors ---------------------------------------------------------------------------------

  private String tensor(String name, long... shape) {
    return graph.constant(name, layout.read(state, name), shape);
  }

  private float[] transposed(String name) {
    Tensor tensor = layout.slots().get(name).tensor();
    float[] values = layout.read(state, name);
    float[] turned = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      turned[i % tensor.cols() * tensor.rows() + i / tensor.cols()] = values[i];
    }
    return turned;
  }

  private String transpose(String name, String x, long... order) {
    List<Long> perm = Arrays.stream(order).boxed().toList();
    return graph.node(name, "Transpose", List.of(x), attribute("perm", perm));
  }
}
