package org.mixtraining.formats;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mixtraining.config.InitConfig.InitParts;
import org.mixtraining.config.MixConfig.MixPass;
import org.mixtraining.config.ModelConfig.Pooling;
import org.mixtraining.config.ModelConfig.Positions;
import org.mixtraining.config.UserException;
import org.mixtraining.formats.TimmWeights.Weight;
import org.mixtraining.schedule.Objective;
import org.mixtraining.vit.Head;
import org.mixtraining.vit.Replica;
import org.mixtraining.vit.ViT;
import org.mixtraining.vit.ViTFixtures;
import org.mixtraining.vit.state.ModelState;

/** Encoders that src/test/python/timm_golden.py made, and what PyTorch computes with them. */
class TimmWeightsTest {
  private static final Path FILES = Path.of("src/test/resources/timm");
  private static final ObjectMapper JSON = new ObjectMapper();

  private final ViT vit = ViTFixtures.small();
  private final List<Head> heads = List.of(new Head("head", vit.served().classes(), 1));

  /** A safetensors file of 32-bit floats, read in a plainer way than the job's. */
  private static SortedMap<String, Weight> file(String name) throws IOException {
    ByteBuffer bytes =
        ByteBuffer.wrap(Files.readAllBytes(FILES.resolve(name))).order(ByteOrder.LITTLE_ENDIAN);
    byte[] json = new byte[(int) bytes.getLong()];
    bytes.get(json);
    JsonNode header = JSON.readTree(new String(json, StandardCharsets.UTF_8));
    SortedMap<String, Weight> tensors = new TreeMap<>();
    header
        .fields()
        .forEachRemaining(
            field -> {
              if (!field.getKey().startsWith("__")) {
                int from = field.getValue().get("data_offsets").get(0).asInt();
                int to = field.getValue().get("data_offsets").get(1).asInt();
                float[] values = new float[(to - from) / 4];
                bytes
                    .position(8 + json.length + from)
                    .slice()
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .asFloatBuffer()
                    .get(values);
                int[] shape = new int[field.getValue().get("shape").size()];
                for (int d = 0; d < shape.length; d++) {
                  shape[d] = field.getValue().get("shape").get(d).asInt();
                }
                tensors.put(field.getKey(), new Weight(shape, values));
              }
            });
    return tensors;
  }

  private static float[] floats(JsonNode array) {
    float[] values = new float[array.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) array.get(i).asDouble();
    }
    return values;
  }

  private ModelState initial(ViT vit) {
    try (Replica replica = ViTFixtures.replica(vit, Objective.JOINT, MixPass.VISIBLE)) {
      return replica.state();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "patch3, CLS, SIN_COS",
    "patch3, MEAN, SIN_COS",
    "patch6, CLS, SIN_COS",
    "patch6, MEAN, SIN_COS",
    "patch3, MEAN, LEARNED",
    "patch6, CLS, LEARNED",
    "patch6, MEAN, LEARNED"
  })
  void anImportedEncoderGivesTheFeaturesThatPyTorchGives(
      String name, Pooling pooling, Positions positions) throws IOException {
    JsonNode golden = JSON.readTree(FILES.resolve("golden.json").toFile());
    ViT model = ViTFixtures.placed(pooling, positions);
    String key = name + (positions == Positions.LEARNED ? "-learned" : "");
    TimmWeights pretrained = TimmWeights.of("--init " + name, file(name + ".safetensors"));

    ModelState begun = pretrained.into(model, heads, initial(model), InitParts.ENCODER);

    float[] expected = floats(golden.get(key).get(pooling == Pooling.CLS ? "cls" : "mean"));
    try (Replica replica = ViTFixtures.replica(model, Objective.SL, MixPass.VISIBLE)) {
      replica.loadParameters(begun);
      assertThat(replica.features(floats(golden.get("images")), 2, 12))
          .containsExactly(expected, within(1e-4f));
    }
  }

  @Test
  void whatIsChangedAndWhatIsLeftOutIsTold() throws IOException {
    TimmWeights mae = TimmWeights.of("F", file("patch3.safetensors"));
    mae.into(vit, heads, initial(vit), InitParts.ENCODER);
    assertThat(mae.notes()).containsExactly("F: ignored: head.bias, head.weight");

    TimmWeights learned = TimmWeights.of("F", file("patch6.safetensors"));
    learned.into(vit, heads, initial(vit), InitParts.ENCODER);
    assertThat(learned.notes()).hasSize(3);
    assertThat(learned.notes().get(0))
        .isEqualTo(
            "F: the embedding of patches of 6 pixels is resampled to 3 (mixtraining.model.patch)");
    assertThat(learned.notes().get(1))
        .startsWith("F: pos_embed was learned, and is ignored: it differs from")
        .endsWith("mixtraining.model.positions = learned uses it");

    ViT learning = ViTFixtures.placed(Pooling.MEAN, Positions.LEARNED);
    TimmWeights taken = TimmWeights.of("F", file("patch6.safetensors"));
    taken.into(learning, heads, initial(learning), InitParts.ENCODER);
    assertThat(taken.notes())
        .contains("F: pos_embed is interpolated from 2 x 2 patches to 4 x 4")
        .noneMatch(note -> note.contains("is ignored"));
  }

  @Test
  void whatDoesNotFitIsNamedWithBothShapes() throws IOException {
    ViT wider = ViTFixtures.vit(12, 3, 3, 24, 2, 3, 20, 1, 2, 5, Pooling.MEAN, 0.75, true);
    ViT deeper = ViTFixtures.vit(12, 3, 3, 12, 3, 3, 20, 1, 2, 5, Pooling.MEAN, 0.75, true);
    SortedMap<String, Weight> incomplete = file("patch3.safetensors");
    incomplete.remove("blocks.1.mlp.fc2.bias");

    assertRefused(
        wider,
        file("patch3.safetensors"),
        "patch_embed.proj.weight is 12 x 3 x 3 x 3 there, and 24 x 3 x p x p in this run");
    assertRefused(
        deeper, file("patch3.safetensors"), "blocks is 2 deep there, and 3 deep in this run");
    assertRefused(
        vit, incomplete, "blocks.1.mlp.fc2.bias is missing there, and needed in this run");
    assertThatThrownBy(
            () ->
                TimmWeights.of("F", file("patch3.safetensors"))
                    .into(vit, heads, initial(vit), InitParts.ALL))
        .isInstanceOf(UserException.class)
        .hasMessage(
            "F: weights in timm's naming provide only the encoder; mixtraining.init.parts must be encoder");
  }

  private void assertRefused(ViT model, SortedMap<String, Weight> file, String message) {
    ModelState initial = initial(model);
    assertThatThrownBy(
            () -> TimmWeights.of("F", file).into(model, heads, initial, InitParts.ENCODER))
        .isInstanceOf(UserException.class)
        .hasMessage("F: block encoder does not fit: " + message);
  }
}
