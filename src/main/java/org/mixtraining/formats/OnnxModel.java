package org.mixtraining.formats;

import static org.mixtraining.formats.OnnxNodes.attribute;

import java.util.List;
import java.util.Map;
import onnx.Onnx.ModelProto;
import onnx.Onnx.OperatorSetIdProto;
import onnx.Onnx.StringStringEntryProto;
import onnx.Onnx.TensorProto.DataType;
import org.mixtraining.vit.Head;
import org.mixtraining.vit.ModelSpec;
import org.mixtraining.vit.ViT;
import org.mixtraining.vit.state.ModelState;

/**
 * Encoder and heads as an <a href="https://onnx.ai">ONNX</a> model (opset 17).
 *
 * <p>Its input {@code images}, uint8 [N, channels, height, width], takes pixels as they are in a
 * file, 0 to 255; the graph normalises them. Its outputs are float32: {@code probabilities} [N,
 * classes] of the only task, or {@code probabilities-TASK} of each.
 */
public final class OnnxModel {

  /** LayerNormalization came with 17. */
  private static final int OPSET = 17;

  private static final int IR_VERSION = 8;
  private static final String IMAGES = "images";

  private final ViT vit;
  private final OnnxNodes graph = new OnnxNodes("mixtraining");
  private final OnnxWeights weights;

  /**
   * An output of the model: the class probabilities of a task.
   *
   * @param name of the output
   * @param mean of each channel of the images, pixels scaled to [0, 1]
   * @param std standard deviation of each channel
   */
  public record Output(String name, Head head, List<Double> mean, List<Double> std) {

    private boolean seesAs(Output other) {
      return mean.equals(other.mean) && std.equals(other.std);
    }
  }

  private OnnxModel(ViT vit, ModelState state, List<Head> heads) {
    this.vit = vit;
    this.weights = new OnnxWeights(ModelSpec.of(vit, heads), state, graph);
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
        vit.served().imageSize(),
        vit.served().imageSize());
    String pixels =
        graph.node("pixels", "Cast", List.of(IMAGES), attribute("to", DataType.FLOAT_VALUE));
    for (int i = 0; i < outputs.size(); i++) {
      Output output = outputs.get(i);
      // Tasks whose images are normalised alike share a pass through the encoder.
      int pass = 0;
      while (!outputs.get(pass).seesAs(output)) {
        pass++;
      }
      var encoder = new OnnxEncoder("pass-" + pass + "/", vit, weights, graph);
      classify(pass == i ? encoder.encode(IMAGES, pixels, output) : encoder.features(), output);
    }
  }

  private void classify(String features, Output output) {
    String layer = output.head().name();
    int classes = output.head().classes();
    String weight = weights.constant(layer + ".weight", vit.encoder().dim(), classes);
    String bias = weights.constant(layer + ".bias", classes);
    String logits = graph.node(layer + "/logits", "Gemm", List.of(features, weight, bias));
    graph.node(output.name(), "Softmax", List.of(logits), attribute("axis", -1));
    graph.output(output.name(), "class probabilities", classes);
  }
}
