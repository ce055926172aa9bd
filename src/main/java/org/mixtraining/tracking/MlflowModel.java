package org.mixtraining.tracking;

import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import org.apache.commons.lang3.function.Failable;
import org.mixtraining.formats.ModelCard;
import org.mixtraining.formats.TrainedModel;

/**
 * A model in MLflow's own layout: the flavour {@code onnx}, which is also a {@code
 * python_function}, with signature, input example and requirements. What MLflow reads as YAML is
 * written as JSON, which is YAML too.
 *
 * @param files by their names
 * @param description the content of MLmodel
 */
record MlflowModel(Map<String, byte[]> files, String description) {
  /** Directory of the model among a run's artifacts. */
  static final String PATH = "model";

  private static final JsonMapper JSON =
      JsonMapper.builder().enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS).build();
  private static final String ONNX = "model.onnx";
  private static final String CONDA = "conda.yaml";
  private static final String VIRTUALENV = "python_env.yaml";
  private static final String REQUIREMENTS = "requirements.txt";
  private static final String EXAMPLE = "input_example.json";
  private static final String PYTHON = "3.10";

  /** Opset 17 needs those of ONNX and its runtime. */
  private static final List<String> PACKAGES =
      List.of("mlflow>=2.0", "numpy", "onnx>=1.12", "onnxruntime>=1.12");

  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss.SSSSSS", Locale.ROOT)
          .withZone(ZoneOffset.UTC);

  /**
   * The model of a run on the server.
   *
   * @param run its id there
   * @throws org.mixtraining.config.UserException if its tasks' images differ in shape
   */
  static MlflowModel of(TrainedModel model, String run, Instant created) {
    ModelCard.Task task = model.card().tasks().get(0);
    byte[] onnx = model.onnx("tracking.mlflow-uri", model.card().tasks());
    Map<String, Object> description = new LinkedHashMap<>();
    description.put("artifact_path", PATH);
    description.put("flavors", Map.of("onnx", onnxFlavour(), "python_function", pythonFlavour()));
    description.put("model_size_bytes", onnx.length);
    description.put("model_uuid", UUID.randomUUID().toString().replace("-", ""));
    description.put("run_id", run);
    description.put(
        "saved_input_example_info",
        Map.of("artifact_path", EXAMPLE, "format", "tf-serving", "type", "ndarray"));
    description.put("signature", signature(model.card()));
    description.put("utc_time_created", TIME.format(created));
    String text = json(description);
    Map<String, byte[]> files = new LinkedHashMap<>();
    files.put(ONNX, onnx);
    files.put(EXAMPLE, bytes(json(Map.of("inputs", new int[][][][] {black(task)}))));
    files.put(REQUIREMENTS, bytes(String.join("\n", PACKAGES) + "\n"));
    files.put(
        CONDA,
        bytes(
            json(
                Map.of(
                    "name",
                    "mlflow-env",
                    "channels",
                    List.of("conda-forge"),
                    "dependencies",
                    List.of("python=" + PYTHON, "pip", Map.of("pip", PACKAGES))))));
    files.put(
        VIRTUALENV,
        bytes(
            json(
                Map.of(
                    "python",
                    PYTHON,
                    "build_dependencies",
                    List.of("pip", "setuptools", "wheel"),
                    "dependencies",
                    List.of("-r " + REQUIREMENTS)))));
    files.put("MLmodel", bytes(text)); // last: it says that the rest is there
    return new MlflowModel(files, text);
  }

  private static Map<String, Object> onnxFlavour() {
    Map<String, Object> flavour = new LinkedHashMap<>();
    flavour.put("code", null);
    flavour.put("data", ONNX);
    flavour.put("onnx_session_options", null);
    flavour.put("onnx_version", "1.12.0");
    flavour.put("providers", List.of("CUDAExecutionProvider", "CPUExecutionProvider"));
    return flavour;
  }

  private static Map<String, Object> pythonFlavour() {
    Map<String, Object> flavour = new LinkedHashMap<>();
    flavour.put("data", ONNX);
    flavour.put("env", Map.of("conda", CONDA, "virtualenv", VIRTUALENV));
    flavour.put("loader_module", "mlflow.onnx");
    flavour.put("python_version", PYTHON + ".0");
    return flavour;
  }

  /** Images as bytes of any number, and the probabilities of each task. */
  private static Map<String, Object> signature(ModelCard card) {
    ModelCard.Task first = card.tasks().get(0);
    List<Integer> images = List.of(-1, first.channels(), first.imageSize(), first.imageSize());
    Map<String, Object> signature = new LinkedHashMap<>();
    signature.put(
        "inputs", line(List.of(Map.of("type", "tensor", "tensor-spec", spec("uint8", images)))));
    signature.put(
        "outputs",
        line(
            card.tasks().stream()
                .map(
                    task ->
                        Map.of(
                            "name",
                            TrainedModel.output(card, task),
                            "type",
                            "tensor",
                            "tensor-spec",
                            spec("float32", List.of(-1, task.classes().size()))))
                .toList()));
    signature.put("params", null);
    return signature;
  }

  private static Map<String, Object> spec(String type, List<Integer> shape) {
    return Map.of("dtype", type, "shape", shape);
  }

  private static int[][][] black(ModelCard.Task task) {
    int[][][] image = new int[task.channels()][task.imageSize()][];
    for (int[][] channel : image) {
      Arrays.setAll(channel, row -> new int[task.imageSize()]);
    }
    return image;
  }

  private static String line(Object value) {
    return Failable.call(() -> JSON.writeValueAsString(value));
  }

  private static String json(Object value) {
    return Failable.call(() -> JSON.writerWithDefaultPrettyPrinter().writeValueAsString(value))
        + "\n";
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
