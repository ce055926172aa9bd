package org.mixtraining.formats;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.mixtraining.config.InitConfig.InitParts;
import org.mixtraining.config.ModelConfig.Pooling;
import org.mixtraining.formats.TimmWeights.Weight;
import org.mixtraining.train.Classifier;
import org.mixtraining.train.Models;
import org.mixtraining.vit.state.ModelState;

/**
 * Directories for Python's libraries: the names and shapes are those of the libraries' own
 * state_dict, as their sources define it (timm 1.0's VisionTransformer, transformers 4's ViT,
 * ViT-MAE and DINOv2), and what those compute from the file, done here in double precision, is what
 * this job computes.
 */
class ModelFolderTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final ModelCard.Task TASK = Models.main();

  private static JsonNode json(ModelFolder folder, String file) throws IOException {
    return JSON.readTree(folder.files().get(file));
  }

  private static SortedMap<String, Weight> weights(ModelFolder folder) throws IOException {
    return ForeignTensors.read(folder.files().get("model.safetensors")).tensors();
  }

  private static Map<String, String> shapes(SortedMap<String, Weight> tensors) {
    Map<String, String> shapes = new TreeMap<>();
    tensors.forEach((name, weight) -> shapes.put(name, Arrays.toString(weight.shape())));
    return shapes;
  }

  private static double[] softmax(double[] logits) {
    double sum = Arrays.stream(logits).map(Math::exp).sum();
    return Arrays.stream(logits).map(v -> Math.exp(v) / sum).toArray();
  }

  private interface Head {
    double[] logits(PlainViT vit, double[][] tokens);
  }

  private static double[] mean(double[][] tokens) {
    double[] mean = new double[tokens[0].length];
    for (int t = 1; t < tokens.length; t++) {
      for (int d = 0; d < mean.length; d++) {
        mean[d] += tokens[t][d] / (tokens.length - 1);
      }
    }
    return mean;
  }

  private static void assertSame(
      TrainedModel model, SortedMap<String, Weight> file, PlainViT.Names names, Head head) {
    PlainViT vit = new PlainViT(file, names, 3, 2);
    for (byte[] image : Models.images(TASK, 2)) {
      float[] pixels = TASK.normalization().apply(List.of(image));
      double[] theirs = softmax(head.logits(vit, vit.tokens(pixels, 3, 12)));
      float[] ours = new Classifier(model, TASK, 1).probabilities(List.of(image))[0];
      for (int c = 0; c < ours.length; c++) {
        assertThat(theirs[c]).isCloseTo(ours[c], within(1e-5));
      }
    }
  }

  // --- timm ------------------------------------------------------------------------------------

  record Timm() implements PlainViT.Names {
    @Override
    public String norm1(int block) {
      return "blocks." + block + ".norm1";
    }

    @Override
    public String attention(int block, int part) {
      return "blocks." + block + ".attn.qkv";
    }

    @Override
    public boolean joined() {
      return true;
    }

    @Override
    public String projection(int block) {
      return "blocks." + block + ".attn.proj";
    }

    @Override
    public String norm2(int block) {
      return "blocks." + block + ".norm2";
    }

    @Override
    public String fc1(int block) {
      return "blocks." + block + ".mlp.fc1";
    }

    @Override
    public String fc2(int block) {
      return "blocks." + block + ".mlp.fc2";
    }

    @Override
    public String scale(int block, int branch) {
      return null;
    }

    @Override
    public String patches() {
      return "patch_embed.proj";
    }

    @Override
    public String cls() {
      return "cls_token";
    }

    @Override
    public String positions() {
      return "pos_embed";
    }

    @Override
    public String norm() {
      return "norm";
    }
  }

  @Test
  void theTensorsAreThoseOfTimmsVisionTransformer() throws IOException {
    Map<String, String> expected = new TreeMap<>();
    expected.put("cls_token", "[1, 1, 12]");
    expected.put("pos_embed", "[1, 17, 12]");
    expected.put("patch_embed.proj.weight", "[12, 3, 3, 3]");
    expected.put("patch_embed.proj.bias", "[12]");
    for (int i = 0; i < 2; i++) {
      Map<String, String> block = new LinkedHashMap<>();
      block.put("norm1.weight", "[12]");
      block.put("norm1.bias", "[12]");
      block.put("attn.qkv.weight", "[36, 12]");
      block.put("attn.qkv.bias", "[36]");
      block.put("attn.proj.weight", "[12, 12]");
      block.put("attn.proj.bias", "[12]");
      block.put("norm2.weight", "[12]");
      block.put("norm2.bias", "[12]");
      block.put("mlp.fc1.weight", "[48, 12]");
      block.put("mlp.fc1.bias", "[48]");
      block.put("mlp.fc2.weight", "[12, 48]");
      block.put("mlp.fc2.bias", "[12]");
      for (Map.Entry<String, String> tensor : block.entrySet()) {
        expected.put("blocks." + i + "." + tensor.getKey(), tensor.getValue());
      }
    }
    expected.put("norm.weight", "[12]");
    expected.put("norm.bias", "[12]");
    expected.put("head.weight", "[5, 12]");
    expected.put("head.bias", "[5]");

    ModelFolder folder = ModelFolder.timm(Models.model(Pooling.MEAN, TASK), TASK);

    assertThat(shapes(weights(folder))).isEqualTo(expected);
    assertThat(folder.files().keySet()).containsExactly("config.json", "model.safetensors");
  }

  @ParameterizedTest
  @EnumSource(Pooling.class)
  void timmComputesWhatThisJobDoes(Pooling pooling) throws IOException {
    TrainedModel model = Models.model(pooling, TASK);
    ModelFolder folder = ModelFolder.timm(model, TASK);

    JsonNode args = json(folder, "config.json").get("model_args");
    assertThat(args.toString())
        .isEqualTo(
            "{\"img_size\":12,\"patch_size\":3,\"in_chans\":3,\"num_classes\":5,\"embed_dim\":12,\"depth\":2,\"num_heads\":3,\"mlp_ratio\":4,\"global_pool\":\"%s\",\"fc_norm\":false}",
            pooling == Pooling.MEAN ? "avg" : "token");
    boolean averages = args.get("global_pool").asText().equals("avg");
    assertSame(
        model,
        weights(folder),
        new Timm(),
        (vit, tokens) ->
            vit.linear(new double[][] {averages ? mean(tokens) : tokens[0]}, "head", 0, 1)[0]);
  }

  @Test
  void theConfigurationSaysHowImagesBecomeInput() throws IOException {
    ModelFolder folder = ModelFolder.timm(Models.model(Pooling.MEAN, TASK), TASK);

    JsonNode config = json(folder, "config.json");
    assertThat(config.get("architecture").asText()).isEqualTo("vit_tiny_patch16_224");
    assertThat(config.get("label_names")).hasSize(5);
    assertThat(config.get("pretrained_cfg").get("mean").toString()).isEqualTo("[0.5,0.4,0.3]");
    assertThat(config.get("pretrained_cfg").get("input_size").toString()).isEqualTo("[3,12,12]");
    assertThat(config.get("mixtraining").toString())
        .contains("fixed sine-cosine positions", "fc_norm = false");
  }

  @Test
  void theCentreThatAModelIsShownIsWrittenAsTheLibrariesName() throws IOException {
    ModelCard.Task task =
        new ModelCard.Task(
            TASK.name(), TASK.imageSize(), TASK.normalization(), TASK.classes(), 0.75);
    TrainedModel model = Models.model(Pooling.MEAN, task);

    JsonNode timm = json(ModelFolder.timm(model, task), "config.json").get("pretrained_cfg");
    JsonNode vit = json(ModelFolder.huggingFace(model, task), "preprocessor_config.json");

    assertThat(timm.get("crop_pct").asDouble()).isEqualTo(0.75);
    assertThat(timm.get("interpolation").asText()).isEqualTo("bicubic");
    assertThat(vit.get("size").toString()).isEqualTo("{\"height\":16,\"width\":16}");
    assertThat(vit.get("do_center_crop").asBoolean()).isTrue();
    assertThat(vit.get("crop_size").get("height").asInt()).isEqualTo(12);
    assertThat(vit.get("resample").asInt()).isEqualTo(3);
  }

  @Test
  void whatIsWrittenForTimmIsReadAgain() throws IOException {
    TrainedModel model = Models.model(Pooling.CLS, TASK);

    assertThat(begun(model, ModelFolder.timm(model, TASK)).parameters())
        .isEqualTo(encoder(model).parameters());
  }

  private static ModelState.Block encoder(TrainedModel model) {
    return model.state().block(ModelState.ENCODER);
  }

  /** The encoder that a run of the same dimensions would begin with. */
  private static ModelState.Block begun(TrainedModel model, ModelFolder folder) throws IOException {
    return TimmWeights.of("F", weights(folder))
        .into(model.card().vit(), model.card().heads(), model.state(), InitParts.ENCODER)
        .block(ModelState.ENCODER);
  }

  // --- transformers ----------------------------------------------------------------------------

  /**
   * Hugging Face's names.
   *
   * @param inBlock norm1, norm2, fc1, fc2
   */
  private record HuggingFace(String prefix, List<String> inBlock, boolean scaled)
      implements PlainViT.Names {
    private String layer(int block, String name) {
      return prefix + "encoder.layer." + block + "." + name;
    }

    @Override
    public String norm1(int block) {
      return layer(block, inBlock.get(0));
    }

    @Override
    public String attention(int block, int part) {
      return layer(block, "attention.attention." + List.of("query", "key", "value").get(part));
    }

    @Override
    public boolean joined() {
      return false;
    }

    @Override
    public String projection(int block) {
      return layer(block, "attention.output.dense");
    }

    @Override
    public String norm2(int block) {
      return layer(block, inBlock.get(1));
    }

    @Override
    public String fc1(int block) {
      return layer(block, inBlock.get(2));
    }

    @Override
    public String fc2(int block) {
      return layer(block, inBlock.get(3));
    }

    @Override
    public String scale(int block, int branch) {
      return scaled ? layer(block, "layer_scale" + branch + ".lambda1") : null;
    }

    @Override
    public String patches() {
      return prefix + "embeddings.patch_embeddings.projection";
    }

    @Override
    public String cls() {
      return prefix + "embeddings.cls_token";
    }

    @Override
    public String positions() {
      return prefix + "embeddings.position_embeddings";
    }

    @Override
    public String norm() {
      return prefix + "layernorm";
    }
  }

  private static final List<String> VIT =
      List.of("layernorm_before", "layernorm_after", "intermediate.dense", "output.dense");
  private static final List<String> DINO = List.of("norm1", "norm2", "mlp.fc1", "mlp.fc2");

  private static Map<String, String> expected(String prefix, List<String> inBlock) {
    Map<String, String> expected = new TreeMap<>();
    expected.put("embeddings.cls_token", "[1, 1, 12]");
    expected.put("embeddings.position_embeddings", "[1, 17, 12]");
    expected.put("embeddings.patch_embeddings.projection.weight", "[12, 3, 3, 3]");
    expected.put("embeddings.patch_embeddings.projection.bias", "[12]");
    for (int i = 0; i < 2; i++) {
      String layer = "encoder.layer." + i + ".";
      for (String square :
          List.of(
              "attention.attention.query",
              "attention.attention.key",
              "attention.attention.value",
              "attention.output.dense")) {
        expected.put(layer + square + ".weight", "[12, 12]");
        expected.put(layer + square + ".bias", "[12]");
      }
      for (String norm : inBlock.subList(0, 2)) {
        expected.put(layer + norm + ".weight", "[12]");
        expected.put(layer + norm + ".bias", "[12]");
      }
      expected.put(layer + inBlock.get(2) + ".weight", "[48, 12]");
      expected.put(layer + inBlock.get(2) + ".bias", "[48]");
      expected.put(layer + inBlock.get(3) + ".weight", "[12, 48]");
      expected.put(layer + inBlock.get(3) + ".bias", "[12]");
    }
    expected.put("layernorm.weight", "[12]");
    expected.put("layernorm.bias", "[12]");
    Map<String, String> prefixed = new TreeMap<>();
    expected.forEach((name, shape) -> prefixed.put(prefix + name, shape));
    return prefixed;
  }

  @Test
  void aClassTokensHeadIsThatOfViTForImageClassification() throws IOException {
    TrainedModel model = Models.model(Pooling.CLS, TASK);
    ModelFolder folder = ModelFolder.huggingFace(model, TASK);

    Map<String, String> expected = expected("vit.", VIT);
    expected.put("classifier.weight", "[5, 12]");
    expected.put("classifier.bias", "[5]");
    assertThat(shapes(weights(folder))).isEqualTo(expected);
    JsonNode config = json(folder, "config.json");
    assertThat(config.get("architectures").toString()).isEqualTo("[\"ViTForImageClassification\"]");
    assertThat(config.get("model_type").asText()).isEqualTo("vit");
    assertThat(config.get("layer_norm_eps").asDouble()).isEqualTo(1e-6);
    assertThat(config.get("intermediate_size").asInt()).isEqualTo(48);
    assertThat(config.get("id2label").get("3").asText()).isEqualTo("main 3");
    assertThat(config.get("label2id").get("main 3").asInt()).isEqualTo(3);
    JsonNode input = json(folder, "preprocessor_config.json");
    assertThat(input.get("image_mean").toString()).isEqualTo("[0.5,0.4,0.3]");
    assertThat(input.get("size").get("height").asInt()).isEqualTo(12);
    assertSame(
        model,
        weights(folder),
        new HuggingFace("vit.", VIT, false),
        (vit, tokens) -> vit.linear(new double[][] {tokens[0]}, "classifier", 0, 1)[0]);
  }

  @Test
  void aMeansHeadIsThatOfDinov2ForImageClassification() throws IOException {
    TrainedModel model = Models.model(Pooling.MEAN, TASK);
    ModelFolder folder = ModelFolder.huggingFace(model, TASK);

    Map<String, String> expected = expected("dinov2.", DINO);
    for (int i = 0; i < 2; i++) {
      expected.put("dinov2.encoder.layer." + i + ".layer_scale1.lambda1", "[12]");
      expected.put("dinov2.encoder.layer." + i + ".layer_scale2.lambda1", "[12]");
    }
    expected.put("classifier.weight", "[5, 24]");
    expected.put("classifier.bias", "[5]");
    assertThat(shapes(weights(folder))).isEqualTo(expected);
    JsonNode config = json(folder, "config.json");
    assertThat(config.get("architectures").toString())
        .isEqualTo("[\"Dinov2ForImageClassification\"]");
    assertThat(config.get("use_mask_token").asBoolean()).isFalse();
    assertThat(config.get("mlp_ratio").asInt()).isEqualTo(4);
    assertSame(
        model,
        weights(folder),
        new HuggingFace("dinov2.", DINO, true),
        (vit, tokens) -> {
          double[] both =
              Stream.of(tokens[0], mean(tokens)).flatMapToDouble(Arrays::stream).toArray();
          return vit.linear(new double[][] {both}, "classifier", 0, 1)[0];
        });
  }

  @Test
  void anEncoderWithoutATrainedHeadIsAViTMAEModel() throws IOException {
    TrainedModel model = Models.model(Pooling.MEAN, TASK);
    ModelState.Block encoder = encoder(model);
    float[] head = model.state().block(ModelState.HEAD).parameters();
    var untrained = new ModelState.Block(head, new float[0], new float[0], 0);
    ModelState pretrained = model.state().with(new ModelState(Map.of(ModelState.HEAD, untrained)));
    TrainedModel mae = new TrainedModel(model.card(), pretrained);

    ModelFolder folder = ModelFolder.huggingFace(mae, TASK);

    assertThat(shapes(weights(folder))).isEqualTo(expected("", VIT));
    JsonNode config = json(folder, "config.json");
    assertThat(config.get("architectures").toString()).isEqualTo("[\"ViTMAEModel\"]");
    assertThat(config.get("model_type").asText()).isEqualTo("vit_mae");
    assertThat(config.get("decoder_hidden_size").asInt()).isEqualTo(20);
    assertThat(begun(model, folder).parameters()).isEqualTo(encoder.parameters());
  }

  @Test
  void whatIsWrittenForTransformersIsReadAgain() throws IOException {
    TrainedModel model = Models.model(Pooling.CLS, TASK);

    assertThat(begun(model, ModelFolder.huggingFace(model, TASK)).parameters())
        .isEqualTo(encoder(model).parameters());
  }
}
