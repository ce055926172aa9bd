package org.mixtraining.tracking;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mixtraining.Python;
import org.mixtraining.config.ModelConfig.Pooling;
import org.mixtraining.formats.ModelCard;
import org.mixtraining.formats.ModelFolder;
import org.mixtraining.formats.TrainedModel;
import org.mixtraining.train.Classifier;
import org.mixtraining.train.Models;
import org.mixtraining.vit.state.ModelState;

/** Exported models in the libraries that they are for: src/test/python/libraries.py. */
class PythonLibrariesTest {
  private static final ModelCard.Task TASK = Models.main();
  private static final List<byte[]> IMAGES = Models.images(TASK, 4);

  @TempDir static Path exports;
  private static Python python;

  @BeforeAll
  static void exportAndAsk() throws IOException, InterruptedException {
    Map<String, Object> expected = new HashMap<>();
    expected.put("pixels", IMAGES.stream().map(PythonLibrariesTest::channels).toList());
    expected.put("mean", TASK.normalization().mean());
    expected.put("std", TASK.normalization().std());
    for (Pooling pooling : Pooling.values()) {
      String name = pooling == Pooling.MEAN ? "mean" : "cls";
      TrainedModel model = Models.model(pooling, TASK);
      write("timm-" + name, ModelFolder.timm(model, TASK).files());
      write("transformers-" + name, ModelFolder.huggingFace(model, TASK).files());
      expected.put("probabilities-" + name, new Classifier(model, TASK, 1).probabilities(IMAGES));
    }
    TrainedModel model = Models.model(Pooling.MEAN, TASK);
    write("mlflow", MlflowModel.of(model, "abc", Instant.EPOCH).files());
    write("transformers-mae", ModelFolder.huggingFace(withoutHead(model), TASK).files());
    expected.put("features", new Classifier(model, TASK, 1).features(IMAGES));
    expected.put("patches", model.card().vit().patches());
    new ObjectMapper().writeValue(exports.resolve("expected.json").toFile(), expected);
    python =
        Python.run(
            "src/test/python/libraries.py", Map.of("MIXTRAINING_EXPORTS", exports.toString()));
  }

  /** [channels][height][width], 0 to 255. */
  private static int[][][] channels(byte[] pixels) {
    int side = TASK.imageSize();
    int[][][] image = new int[TASK.channels()][side][side];
    IntStream.range(0, pixels.length)
        .forEach(i -> image[i / side / side][i / side % side][i % side] = pixels[i] & 0xFF);
    return image;
  }

  private static TrainedModel withoutHead(TrainedModel model) {
    float[] head = model.state().block(ModelState.HEAD).parameters();
    var untrained = new ModelState.Block(head, new float[0], new float[0], 0);
    return new TrainedModel(
        model.card(), model.state().with(new ModelState(Map.of(ModelState.HEAD, untrained))));
  }

  private static void write(String name, Map<String, byte[]> files) throws IOException {
    Path directory = Files.createDirectories(exports.resolve(name));
    for (Map.Entry<String, byte[]> file : files.entrySet()) {
      Files.write(directory.resolve(file.getKey()), file.getValue());
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "test_timm",
        "test_timm_of_a_directory",
        "test_vit_for_image_classification",
        "test_dinov2_for_image_classification",
        "test_vit_mae",
        "test_image_processor",
        "test_onnx_runtime",
        "test_onnx_checker",
        "test_mlflow"
      })
  void aLibraryComputesWhatThisJobDoes(String test) {
    python.passed(test);
  }
}
