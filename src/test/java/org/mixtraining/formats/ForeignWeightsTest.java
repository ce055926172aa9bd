package org.mixtraining.formats;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.apache.hadoop.conf.Configuration;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.mixtraining.checkpoint.ModelFile;
import org.mixtraining.config.InitConfig.InitParts;
import org.mixtraining.config.ModelConfig.Pooling;
import org.mixtraining.config.UserException;
import org.mixtraining.formats.TimmWeights.Weight;
import org.mixtraining.train.Models;
import org.mixtraining.vit.state.ModelState;

/**
 * Weights of others, each made here of an encoder that PyTorch computed with (TimmDonorTest): what
 * says the same begins the same run, and what says something else is refused by name.
 */
class ForeignWeightsTest {
  @TempDir static Path directory;

  private static final TrainedModel MODEL = Models.model(Pooling.MEAN, Models.main());

  private static ModelFile file(String name, byte[] content) throws IOException {
    Path file = Files.write(directory.resolve(name), content);
    return ModelFile.open(new Configuration(), "--init", file.toString());
  }

  private static SortedMap<String, Weight> timm() {
    try {
      return new TreeMap<>(
          ForeignTensors.read(
                  Files.readAllBytes(Path.of("src/test/resources/timm/patch3.safetensors")))
              .tensors());
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private static SortedMap<String, Weight> renamed(UnaryOperator<String> name) {
    SortedMap<String, Weight> renamed = new TreeMap<>();
    timm().forEach((old, weight) -> renamed.put(name.apply(old), weight));
    return renamed;
  }

  private static ModelState begun(PretrainedWeights pretrained) {
    return pretrained.into(
        MODEL.card().vit(), MODEL.card().heads(), MODEL.state(), InitParts.ENCODER);
  }

  private static ModelState begun(byte[] content) throws IOException {
    return begun(file("weights.safetensors", content).pretrained());
  }

  private static AbstractThrowableAssert<?, ?> assertRefused(byte[] content) throws IOException {
    ModelFile file = file("weights", content);
    return assertThatThrownBy(file::pretrained).isInstanceOf(UserException.class);
  }

  // --- the same weights ------------------------------------------------------------------------

  @ParameterizedTest
  @ValueSource(
      strings = {
        "module.",
        "model.",
        "encoder.",
        "backbone.",
        "vit.",
        "base_model.",
        "_orig_mod.",
        "module._orig_mod.model.",
        "state_dict.module.base_model.model.encoder.",
        "student.backbone.vit."
      })
  void namesMayHaveAnyPrefix(String prefix) throws IOException {
    PretrainedWeights pretrained =
        file("prefixed.safetensors", Safetensors.floats(renamed(name -> prefix + name)))
            .pretrained();

    assertThat(begun(pretrained)).isEqualTo(begun(Safetensors.floats(timm())));
    assertThat(pretrained.notes())
        .anyMatch(note -> note.endsWith("ignored: head.bias, head.weight"));
  }

  @Test
  void wrappersMayStandAnywhereInAName() throws IOException {
    SortedMap<String, Weight> compiled =
        renamed(
            name ->
                "module."
                    + name.replaceFirst(
                        "^(blocks\\.\\d+)\\.", "$1._orig_mod._checkpoint_wrapped_module."));

    assertThat(begun(Safetensors.floats(compiled))).isEqualTo(begun(Safetensors.floats(timm())));
  }

  @Test
  void whatLiesBesideThePrefixIsNotUsedAndCounted() throws IOException {
    SortedMap<String, Weight> both = renamed(name -> "backbone." + name);
    for (int i = 0; i < 7; i++) {
      both.put("queue." + i, new Weight(new int[] {1}, new float[1]));
    }
    PretrainedWeights pretrained = file("both.safetensors", Safetensors.floats(both)).pretrained();

    assertThat(begun(pretrained)).isEqualTo(begun(Safetensors.floats(timm())));
    assertThat(pretrained.notes())
        .containsExactly(
            "--init %s/both.safetensors: took the encoder under backbone.".formatted(directory),
            "--init %s/both.safetensors: ignored: head.bias, head.weight, queue.0, queue.1 and 5 more"
                .formatted(directory));
  }

  @Test
  void numbersOfAnySizeAreTheSameNumbers() throws IOException {
    SortedMap<String, Weight> coarse = timm();
    // Seven bits of fraction and magnitudes from 2^-14 to 2^15: what every type holds.
    coarse.replaceAll((name, weight) -> new Weight(weight.shape(), coarse(weight.values())));
    ModelState expected = begun(Safetensors.floats(coarse));

    assertThat(expected).isNotEqualTo(begun(Safetensors.floats(timm())));
    assertThat(begun(Safetensors.bfloats(coarse))).isEqualTo(expected);
    assertThat(begun(Safetensors.halves(coarse))).isEqualTo(expected);
    assertThat(begun(Safetensors.doubles(coarse))).isEqualTo(expected);
  }

  private static float[] coarse(float[] values) {
    float[] coarse = new float[values.length];
    for (int i = 0; i < coarse.length; i++) {
      float most = Math.copySign(Math.max(Math.abs(values[i]), 0x1p-14f), values[i]);
      coarse[i] = Float.intBitsToFloat(Float.floatToIntBits(most) & 0xFFFF0000);
    }
    return coarse;
  }

  @Test
  void headsDecodersAndMaskTokensAreLeft() throws IOException {
    SortedMap<String, Weight> more = timm();
    for (String name :
        List.of(
            "decoder_blocks.0.ls1.gamma",
            "decoder_embed.weight",
            "decoder_pos_embed",
            "fc_norm.weight",
            "head_drop.weight",
            "mask_token",
            "pre_logits.fc.weight")) {
      more.put(name, new Weight(new int[] {1}, new float[1]));
    }

    assertThat(begun(Safetensors.floats(more))).isEqualTo(begun(Safetensors.floats(timm())));
  }

  // --- weights of another function -------------------------------------------------------------

  @ParameterizedTest
  @CsvSource({
    "blocks.0.ls1.gamma, LayerScale",
    "blocks.1.gamma_2, LayerScale",
    "blocks.1.layer_scale_1.gamma, LayerScale",
    "blocks.0.attn.q_norm.weight, a norm of queries and keys",
    "blocks.0.attn.k_norm.bias, a norm of queries and keys",
    "blocks.0.attn.norm.weight, a norm in attention",
    "blocks.0.mlp.norm.weight, a norm in the MLP",
    "blocks.0.mlp.fc1_g.weight, a gated MLP (SwiGLU)",
    "blocks.0.mlp.w12.weight, a gated MLP (SwiGLU)",
    "blocks.0.mlp.gate_proj.weight, a gated MLP (SwiGLU)",
    "reg_token, register tokens",
    "register_tokens, register tokens",
    "dist_token, a distillation token",
    "rope.freqs, rotary positions",
    "rope_embed.periods, rotary positions",
    "blocks.0.attn.relative_position_bias_table, relative positions",
    "blocks.0.attn.rel_pos_h, relative positions",
    "rel_pos_bias.relative_position_bias_table, relative positions",
    "'blocks.0.attn.q_bias', 'separate biases for q, k and v'",
    "norm_pre.weight, a norm before the first block",
    "patch_embed.norm.weight, a norm before the first block",
    "patch_embed.backbone.0.weight, a different patch embedding",
    "attn_pool.latent, pooling by attention"
  })
  void whatWouldChangeTheFunctionIsRefusedByName(String name, String part) throws IOException {
    SortedMap<String, Weight> other = renamed(old -> "module." + old);
    other.put("module." + name, new Weight(new int[] {12}, new float[12]));

    assertRefused(Safetensors.floats(other))
        .hasMessage(
            "--init %s/weights: it has %s, which this job's encoder does not have: %s; without it the encoder would compute another function",
            directory, part, name);
  }

  @Test
  void whatIsNotKnownIsRefusedToo() throws IOException {
    SortedMap<String, Weight> other = timm();
    other.put("blocks.0.adapter.weight", new Weight(new int[] {12}, new float[12]));

    assertRefused(Safetensors.floats(other))
        .hasMessage(
            "--init %s/weights: it has unknown tensors, which may change what the encoder computes: blocks.0.adapter.weight; remove them from the file if they do not",
            directory);
  }

  @Test
  void aNormAfterPoolingInPlaceOfThatBeforeIsRefused() throws IOException {
    assertRefused(
            Safetensors.floats(renamed(name -> name.startsWith("norm.") ? "fc_" + name : name)))
        .hasMessageContaining("a norm after pooling instead of before it")
        .hasMessageContaining("fc_norm.bias, fc_norm.weight");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "blocks.0.attn.qkv.bias",
        "cls_token",
        "pos_embed",
        "norm.weight",
        "blocks.1.norm2.bias"
      })
  void whatIsMissingIsNamed(String name) throws IOException {
    SortedMap<String, Weight> incomplete = timm();
    incomplete.remove(name);
    PretrainedWeights pretrained = file("incomplete", Safetensors.floats(incomplete)).pretrained();

    assertThatThrownBy(() -> begun(pretrained))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("%s is missing there, and needed in this run", name);
  }

  @Test
  void twoEncodersAreRefused() throws IOException {
    SortedMap<String, Weight> two = renamed(name -> "student.backbone." + name);
    two.putAll(renamed(name -> "teacher." + name));

    assertRefused(Safetensors.floats(two))
        .hasMessageEndingWith(
            "holds 2 encoders, under student.backbone. and teacher.; keep only one in the file");

    two = renamed(name -> "module." + name);
    two.putAll(timm());
    assertRefused(Safetensors.floats(two)).hasMessageContaining("twice");
  }

  @ParameterizedTest
  @CsvSource({
    "vit.embeddings.distillation_token, a distillation token",
    "vit.encoder.layer.0.layer_scale1.lambda1, LayerScale",
    "vit.encoder.layer.0.attention.attention.relative_position_bias.table, relative positions"
  })
  void whatTransformersHasAndThisJobHasNotIsRefusedByName(String name, String what)
      throws IOException {
    SortedMap<String, Weight> file = new TreeMap<>();
    HuggingFaceNames.VIT.of(timm()).forEach((old, weight) -> file.put("vit." + old, weight));
    assertThat(begun(Safetensors.floats(file))).isEqualTo(begun(Safetensors.floats(timm())));
    file.put("vit.pooler.dense.weight", new Weight(new int[] {1}, new float[1])); // of heads
    assertThat(begun(Safetensors.floats(file))).isEqualTo(begun(Safetensors.floats(timm())));
    file.put(name, new Weight(new int[] {1}, new float[1]));

    assertRefused(Safetensors.floats(file)).hasMessageContaining("it has " + what + ", which");
  }

  @Test
  void aFolderOfTransformersIsReadWithWhatItsConfigurationSays() throws IOException {
    Path folder = Files.createDirectories(directory.resolve("vit-mae"));
    SortedMap<String, Weight> file = new TreeMap<>();
    HuggingFaceNames.VIT.of(timm()).forEach((old, weight) -> file.put("vit." + old, weight));
    Files.write(folder.resolve("model.safetensors"), Safetensors.floats(file));
    var weights = ModelFile.open(new Configuration(), "--init", folder.toString());
    assertThat(begun(weights.pretrained())).isEqualTo(begun(Safetensors.floats(timm())));

    Path config = folder.resolve("config.json");
    String fits =
        "{\"num_attention_heads\": 3, \"hidden_act\": \"gelu\", \"layer_norm_eps\": 1e-12}";
    Files.writeString(config, fits);
    var fitting = ModelFile.open(new Configuration(), "--init", folder.toString());
    assertThat(begun(fitting.pretrained())).isEqualTo(begun(Safetensors.floats(timm())));
    Files.writeString(config, fits.replace("3,", "4,").replace("gelu", "relu"));
    var other = ModelFile.open(new Configuration(), "--init", folder.toString()).pretrained();
    assertThatThrownBy(() -> begun(other))
        .isInstanceOf(UserException.class)
        .hasMessage(
            "--init %1$s: block encoder does not fit: num_attention_heads is 4 there, and mixtraining.model.heads 3 in this run\n--init %1$s: block encoder does not fit: hidden_act is relu there, and gelu in this job",
            folder);
    Files.writeString(config, "[]");
    var damaged = ModelFile.open(new Configuration(), "--init", folder.toString());
    assertThatThrownBy(damaged::pretrained)
        .hasMessageEndingWith("the config.json beside it is not a JSON object");
  }

  @Test
  void aNumberThatIsNoneIsRefused() throws IOException {
    SortedMap<String, Weight> broken = timm();
    broken.get("norm.weight").values()[3] = Float.NaN;
    PretrainedWeights pretrained = file("nan", Safetensors.floats(broken)).pretrained();

    assertThatThrownBy(() -> begun(pretrained))
        .isInstanceOf(UserException.class)
        .hasMessageEndingWith("cannot be used: norm.weight holds NaN");
  }

  @ParameterizedTest
  @CsvSource({
    "vision_model.embeddings.patch_embedding.weight, Hugging Face's transformers",
    "backbone.patch_embed.projection.weight, MMPretrain",
    "conv_proj.weight, torchvision",
    "visual.conv1.weight, CLIP or a convolutional network"
  })
  void namesOfOtherProgramsAreTold(String name, String program) throws IOException {
    var weight = new Weight(new int[] {1}, new float[1]);

    assertRefused(Safetensors.floats(new TreeMap<>(Map.of(name, weight, "x", weight))))
        .hasMessageContaining(
            "cannot be used: its tensors have the names of %s (%s); supported are", program, name)
        .hasMessageContaining("patch_embed.proj.weight, blocks.0.attn.qkv.weight")
        .hasMessageContaining("and of Hugging Face's ViT and ViT-MAE, with any prefix");
  }

  // --- other files -----------------------------------------------------------------------------

  private static byte[] text(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  @Test
  void everyOtherKindOfFileIsCalledWhatItIs() throws IOException {
    byte[] weights = Safetensors.floats(timm());
    byte[] zip = new byte[200];
    System.arraycopy(text("PK\u0003\u0004"), 0, zip, 0, 4);
    byte[] name = text("archive/data.pkl");
    zip[26] = (byte) name.length;
    System.arraycopy(name, 0, zip, 30, name.length);

    assertCalled("truncated: its header should be", Arrays.copyOf(weights, 100));
    assertCalled(
        "truncated: pos_embed should end at byte", Arrays.copyOf(weights, weights.length - 1));
    assertCalled("empty", new byte[0]);
    assertCalled("a PyTorch file (.pt, .pth, .bin); save its state_dict with safetensors", zip);
    assertCalled(
        "a Python pickle, as PyTorch wrote",
        text("\u0080\u0002\u008a\nl\u00fc\u009cF\u00f9 j\u00a8P\u0019."));
    assertCalled("a GGUF file", text("GGUF\u0003\u0000\u0000\u0000\u0010\u0000\u0000"));
    assertCalled("an ONNX model", text("\b\u0007\u0012\u0007pytorch\u001a\u00052.3.0:"));
    assertCalled("an ONNX model", MODEL.onnx("--task", MODEL.card().tasks()));
    assertCalled("a NumPy array", text("\u0093NUMPY\u0001\u0000v\u0000{'descr': '<f4'"));
    assertCalled("an HDF5 file", text("\u0089HDF\r\n\u001a\n\u0000\u0000"));
    assertCalled("compressed with gzip", text("\u001f\u008b\b\u0000\u0000\u0000"));
    assertCalled("a web page or XML", text("<!DOCTYPE html>\n<html><title>404</title></html>"));
    assertCalled(
        "a Git LFS pointer instead of the file; git lfs pull",
        text("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 22\n"));
    assertCalled(
        "the index of the weight shards model-1-of-2.safetensors, model-2-of-2.safetensors; give one",
        text(
            "{\"metadata\": {}, \"weight_map\": {\"b\": \"model-2-of-2.safetensors\", \"a\": \"model-1-of-2.safetensors\"}}"));
    assertCalled("JSON, not a model", text("{\"error\": \"Repository not found\"}"));
    assertCalled("a text, not a model", text("just words"));
    assertRefused(new byte[3000]).hasMessageContaining("its 3000 bytes are not a supported model");
    assertThatThrownBy(() -> ModelFile.open(new Configuration(), "--init", directory.toString()))
        .isInstanceOf(UserException.class)
        .hasMessage(
            "--init %s: is a directory without model.safetensors; give the path of a file in it",
            directory);
  }

  private static void assertCalled(String what, byte[] content) throws IOException {
    String message = "--init %s/weights: cannot be used: it is %s".formatted(directory, what);
    assertRefused(content).hasMessageStartingWith(message);
    ModelFile file = file("weights", content);
    assertThatThrownBy(file::model).as(what).isInstanceOf(UserException.class);
  }
}
