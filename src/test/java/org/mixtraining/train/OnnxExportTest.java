package org.mixtraining.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.mixtraining.config.ModelConfig.Pooling;
import org.mixtraining.config.UserException;
import org.mixtraining.formats.ModelCard;
import org.mixtraining.formats.TrainedModel;

/** What ONNX Runtime computes with an exported model is what this job computes. */
class OnnxExportTest {

  private static float[][] runtime(
      byte[] onnx, String output, ModelCard.Task task, List<byte[]> images) throws OrtException {
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    ByteBuffer pixels = ByteBuffer.allocateDirect(images.size() * images.get(0).length);
    images.forEach(pixels::put);
    long[] shape = {images.size(), task.channels(), task.imageSize(), task.imageSize()};
    try (OrtSession session = environment.createSession(onnx);
        OnnxTensor input =
            OnnxTensor.createTensor(environment, pixels.rewind(), shape, OnnxJavaType.UINT8);
        OrtSession.Result result = session.run(Map.of("images", input))) {
      return (float[][]) result.get(output).orElseThrow().getValue();
    }
  }

  private static void assertSame(float[][] actual, float[][] expected) {
    assertThat(actual).hasDimensions(expected.length, expected[0].length);
    for (int i = 0; i < expected.length; i++) {
      for (int c = 0; c < expected[i].length; c++) {
        assertThat(actual[i][c]).isCloseTo(expected[i][c], within(1e-4f));
      }
    }
  }

  private static float[][] ours(TrainedModel model, ModelCard.Task task, List<byte[]> images) {
    return new Classifier(model, task, 1).probabilities(images);
  }

  @ParameterizedTest
  @EnumSource(Pooling.class)
  void aModelSaysTheSameThereForBatchesOfAnySize(Pooling pooling) throws OrtException {
    ModelCard.Task task = Models.main();
    TrainedModel model = Models.model(pooling, task);
    byte[] onnx = model.onnx("--task", List.of(task));

    for (int images : new int[] {1, 5}) {
      List<byte[]> pixels = Models.images(task, images);
      float[][] expected = ours(model, task, pixels);
      assertThat(expected[0][0]).isNotCloseTo(0.2f, within(1e-3f));
      assertSame(runtime(onnx, "probabilities", task, pixels), expected);
    }
  }

  @Test
  void everyHeadIsAnOutputOfItsOwnAndSeesImagesNormalisedItsWay() throws OrtException {
    ModelCard.Task a = Models.task("a", 5, 0.5, 0.4, 0.3);
    ModelCard.Task b = Models.task("b", 3, 0.1, 0.2, 0.6);
    ModelCard.Task c = Models.task("c", 4, 0.5, 0.4, 0.3); // as a's
    TrainedModel model = Models.model(Pooling.MEAN, a, b, c);
    byte[] onnx = model.onnx("--task", List.of(a, b, c));
    List<byte[]> pixels = Models.images(a, 3);

    for (ModelCard.Task task : List.of(a, b, c)) {
      assertSame(
          runtime(onnx, "probabilities-" + task.name(), task, pixels), ours(model, task, pixels));
    }
  }

  @Test
  void greyImagesOfAColourModelHaveOneChannelThereToo() throws OrtException {
    ModelCard.Task grey = Models.task("grey", 3, 0.4);
    ModelCard.Task colour = Models.task("colour", 5, 0.5, 0.4, 0.3);
    TrainedModel model = Models.model(Pooling.CLS, colour, grey);
    List<byte[]> pixels = Models.images(grey, 2);

    byte[] onnx = model.onnx("--task", List.of(grey));

    assertSame(runtime(onnx, "probabilities-grey", grey, pixels), ours(model, grey, pixels));
    assertThatThrownBy(() -> model.onnx("--task", List.of(colour, grey)))
        .isInstanceOf(UserException.class)
        .hasMessage(
            "--task: the images of tasks colour and grey differ in shape, so an ONNX file can hold only one of them; choose one");
  }

  @ParameterizedTest
  @ValueSource(strings = {"classes of probabilities", "mixtraining", "images"})
  void theFileSaysWhatItTakesAndWhatItsOutputsMean(String key) throws OrtException {
    ModelCard.Task task = Models.main();
    TrainedModel model = Models.model(Pooling.MEAN, task);
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    try (OrtSession session = environment.createSession(model.onnx("--task", List.of(task)))) {
      TensorInfo input = (TensorInfo) session.getInputInfo().get("images").getInfo();
      assertThat(input.type).isEqualTo(OnnxJavaType.UINT8);
      assertThat(input.getShape()).containsExactly(-1, 3, 12, 12);
      String note = session.getMetadata().getCustomMetadata().get(key);
      switch (key) {
        case "mixtraining" -> assertThat(ModelCard.parse(note)).isEqualTo(model.card());
        case "images" -> assertThat(note).contains("uint8, 0 to 255");
        default ->
            assertThat(note).isEqualTo("[\"main 0\",\"main 1\",\"main 2\",\"main 3\",\"main 4\"]");
      }
    }
  }
}
