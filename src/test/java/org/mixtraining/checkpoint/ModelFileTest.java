package org.mixtraining.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.config.ModelConfig.Pooling;
import org.mixtraining.config.UserException;
import org.mixtraining.formats.ModelCard;
import org.mixtraining.formats.TimmWeights;
import org.mixtraining.formats.TrainedModel;
import org.mixtraining.formats.TrainedWeights;
import org.mixtraining.results.RunRow.Progress;
import org.mixtraining.run.RunState;
import org.mixtraining.run.ShardAssignment;
import org.mixtraining.schedule.Patience;
import org.mixtraining.train.Classifier;
import org.mixtraining.train.Models;
import org.mixtraining.vit.state.ModelState;
import org.nd4j.linalg.factory.Nd4j;

class ModelFileTest {
  @TempDir Path directory;

  private final ModelCard.Task a = Models.task("a", 5, 0.5, 0.4, 0.3);
  private final ModelCard.Task b = Models.task("b", 3, 0.1, 0.2, 0.6);
  private final TrainedModel model = Models.model(Pooling.CLS, a, b);

  private ModelFile file(String name, byte[] content) throws IOException {
    Path file = Files.write(directory.resolve(name), content);
    return ModelFile.open(new Configuration(), "--model", file.toString());
  }

  private static byte[] timm(String name) throws IOException {
    return Files.readAllBytes(Path.of("src/test/resources/timm", name));
  }

  private static float[][] said(TrainedModel model, ModelCard.Task task) {
    return new Classifier(model, task, 1).probabilities(Models.images(task, 3));
  }

  private Checkpoint checkpoint(Map<String, String> provenance) {
    var state =
        new RunState(
            1,
            model.state(),
            Collections.emptySortedMap(),
            new ModelState(Map.of()),
            Patience.FRESH,
            ShardAssignment.EQUAL);
    return new Checkpoint(state, Progress.NONE, "{}", new TreeMap<>(provenance));
  }

  @Test
  void aZipHoldsTheModelThatItWasMadeOf() throws IOException {
    TrainedModel read = file("m.zip", model.zip()).model();

    assertThat(read.card()).isEqualTo(model.card());
    assertThat(read.state().blocks()).containsOnlyKeys("encoder", "head-a", "head-b");
    assertThat(said(read, a)).isDeepEqualTo(said(model, a));
    assertThat(said(read, b)).isDeepEqualTo(said(model, b));
  }

  @Test
  void deeplearning4jRestoresAZipByItself() throws IOException {
    List<byte[]> images = Models.images(a, 3);
    float[] pixels = a.normalization().apply(images);

    ComputationGraph graph =
        ModelSerializer.restoreComputationGraph(new ByteArrayInputStream(model.zip()), false);

    float[][] probabilities =
        graph.output(Nd4j.create(pixels, new long[] {3, 3, 12, 12}, 'c'))[0].toFloatMatrix();
    assertThat(probabilities).isDeepEqualTo(said(model, a));
  }

  @Test
  void aCheckpointIsAModelToo() throws IOException {
    var bytes = new ByteArrayOutputStream();
    checkpoint(Map.of(ModelFile.CARD, model.card().json())).write(bytes);

    TrainedModel read = file("best.safetensors", bytes.toByteArray()).model();

    assertThat(read.card()).isEqualTo(model.card());
    assertThat(read.state()).isEqualTo(model.state());
  }

  @Test
  void aCardWithoutPositionsIsOneOfFixedPositions() {
    String json = model.card().json();
    assertThat(json).contains(",\"positions\":\"SIN_COS\"");

    assertThat(ModelCard.parse(json.replace(",\"positions\":\"SIN_COS\"", "")))
        .isEqualTo(model.card());
  }

  @Test
  void aFileThatHoldsNoModelIsNamedWithWhatItIs() throws IOException {
    var old = new ByteArrayOutputStream();
    checkpoint(Map.of()).write(old);

    assertRefused("old.safetensors", old.toByteArray(), "it was written by an older version");
    assertRefused(
        "text",
        "no model at all, just words, more than forty bytes of them"
            .getBytes(StandardCharsets.UTF_8),
        "text: cannot be used: it is a text, not a model");
    assertRefused("cut.zip", Arrays.copyOf(model.zip(), 900), "cut.zip: cannot be used:");
    assertRefused(
        "timm.safetensors",
        timm("patch3.safetensors"),
        "cannot be used: it holds another program's weights, for which there is no classification head; start a run from them with train --init");
    assertThatThrownBy(() -> ModelFile.open(new Configuration(), "--model", directory + "/none"))
        .isInstanceOf(UserException.class)
        .hasMessage("--model %s/none: no such file".formatted(directory));
  }

  private void assertRefused(String name, byte[] content, String... parts) throws IOException {
    ModelFile file = file(name, content);
    assertThatThrownBy(file::model)
        .isInstanceOf(UserException.class)
        .hasMessageStartingWith("--model " + directory.resolve(name) + ": ")
        .hasMessageContaining(parts[parts.length - 1]);
  }

  @Test
  void aRunCanBeginFromWhatThisJobWroteAndFromTimm() throws IOException {
    assertThat(file("m.zip", model.zip()).pretrained()).isInstanceOf(TrainedWeights.class);
    assertThat(file("t.safetensors", timm("patch3.safetensors")).pretrained())
        .isInstanceOf(TimmWeights.class);
    byte[] cut = timm("patch3.safetensors");
    ModelFile damaged = file("cut.safetensors", Arrays.copyOf(cut, cut.length - 4));
    assertThatThrownBy(damaged::pretrained)
        .isInstanceOf(UserException.class)
        .hasMessageContaining(
            "cut.safetensors: cannot be used: it is truncated: head.bias should end at byte 20626, and the file has 20622");
  }
}
