package org.mixtraining.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.ModelConfig.Pooling;
import org.mixtraining.data.sources.Input;
import org.mixtraining.formats.ModelCard;
import org.mixtraining.formats.TrainedModel;
import org.mixtraining.run.EpochOutcome;
import org.mixtraining.run.TrainingData;
import org.mixtraining.train.Classifier;
import org.mixtraining.train.Features;
import org.mixtraining.train.Models;
import org.mixtraining.train.RecordingStepAccelerator;
import org.mixtraining.vit.Reconstruction;
import org.mixtraining.vit.state.ModelState;

/** A run on GPUs that take whole steps: then they score the model too. */
@Tag("cluster")
class GpuScoringTest {
  @TempDir static Path directory;
  @AutoClose private static GpuCluster cluster;

  @BeforeAll
  static void start() throws Exception {
    cluster = GpuCluster.start(directory, RecordingStepAccelerator.class);
  }

  @BeforeEach
  void forget() throws IOException {
    Files.deleteIfExists(directory.resolve("predictors"));
  }

  /** What the executors have predicted with since the test began. */
  private static List<String> predictors() throws IOException {
    return Files.readAllLines(directory.resolve("predictors"));
  }

  /**
   * On images as they are, which is all that the double can prepare; a model of its own, since
   * executors keep their predictors of the others.
   */
  private static List<EpochOutcome> train(String device) {
    String asTheyAre = "{crop-padding = 0, flip = false, random-resized-crop.scale = [1, 1]}";
    return cluster.train(
        device, "model.pooling=cls", "augment.ssl=" + asTheyAre, "augment.sl=" + asTheyAre);
  }

  @Test
  void imagesArePredictedOnTheGpusThatTrain() throws Exception {
    ModelCard.Task task = Models.main();
    TrainedModel model = Models.model(Pooling.MEAN, task);
    List<Input> images =
        Models.images(task, 5).stream().map(pixels -> new Input("it", pixels, null)).toList();
    var spark = JavaSparkContext.fromSparkContext(cluster.session().sparkContext());
    List<Row> rows =
        ClusterPrediction.of(
                cluster.session(),
                model,
                task,
                spark.parallelize(images, 1),
                SmallRun.config(directory, "workers.device=gpu").workers())
            .collectAsList();

    assertThat(predictors()).singleElement().asString().matches("double:[37] FP32");
    float[][] here =
        new Classifier(model, task, 1).probabilities(images.stream().map(Input::pixels).toList());
    for (int i = 0; i < images.size(); i++) {
      assertThat(rows.get(i).<Float>getList(5)).contains(here[i][0]).contains(here[i][4]);
    }
  }

  @Test
  void featuresAreComputedOnTheGpusThatTrain() throws Exception {
    var spark = JavaSparkContext.fromSparkContext(cluster.session().sparkContext());

    List<Features> onGpus = features(spark, "workers.device=gpu");

    assertThat(predictors()).containsExactlyInAnyOrder("double:3 FP32", "double:7 FP32");
    List<Features> onCpu = features(spark, "workers.device=cpu", "workers.precision=fp32");
    assertThat(predictors()).as("no more of them").hasSize(2);
    for (int split = 0; split < onGpus.size(); split++) {
      assertThat(onGpus.get(split).values())
          .containsExactly(onCpu.get(split).values(), within(1e-6f));
      assertThat(onGpus.get(split).labels()).isEqualTo(onCpu.get(split).labels());
    }
    assertThat(onGpus.get(0).images()).isPositive();
  }

  private static List<Features> features(JavaSparkContext spark, String... overrides) {
    JobConfig config = SmallRun.config(directory.resolve("images"), overrides);
    ModelState model = TrainingData.open(spark.hadoopConfiguration(), config).initialModel();
    FrozenModel.TaskFeatures task = new FrozenModel(spark, config, model).features().get(0);
    return List.of(task.training(), task.validation(), task.test());
  }

  @Test
  void reconstructionsAreComputedOnAGpuThatTrains() throws Exception {
    Reconstruction onGpu = cluster.reconstruct("workers.device=gpu");

    assertThat(predictors()).singleElement().asString().matches("double:[37] FP32");
    Reconstruction onCpu = cluster.reconstruct("workers.device=cpu", "workers.precision=fp32");
    assertThat(predictors()).as("no more of them").hasSize(1);
    assertThat(onGpu.seen()).isEqualTo(onCpu.seen());
    assertThat(onGpu.completed())
        .containsExactly(onCpu.completed(), within(1e-6f))
        .isNotEqualTo(onCpu.seen());
  }

  @Test
  void modelsAreScoredOnTheWorkersGpusInFloat32() throws Exception {
    List<EpochOutcome> onGpus = train("workers.device=gpu");

    assertThat(predictors()).containsExactlyInAnyOrder("double:3 FP32", "double:7 FP32");
    List<EpochOutcome> onCpu = train("workers.device=cpu");
    assertThat(onGpus)
        .extracting(epoch -> tuple(epoch.scores().validation(), epoch.scores().test()))
        .isEqualTo(
            onCpu.stream()
                .map(epoch -> tuple(epoch.scores().validation(), epoch.scores().test()))
                .toList());
  }
}
