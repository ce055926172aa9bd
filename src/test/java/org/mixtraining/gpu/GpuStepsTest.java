package org.mixtraining.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.MixConfig.MixPass;
import org.mixtraining.config.ModelConfig.Pooling;
import org.mixtraining.config.ModelConfig.Positions;
import org.mixtraining.config.OptimizerConfig;
import org.mixtraining.config.UserException;
import org.mixtraining.data.ImageSet;
import org.mixtraining.data.Normalization;
import org.mixtraining.data.OnDisk;
import org.mixtraining.data.Share;
import org.mixtraining.kernels.WorkerThreads;
import org.mixtraining.schedule.EncoderInput;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.schedule.LearningRate;
import org.mixtraining.schedule.Objective;
import org.mixtraining.schedule.Phase;
import org.mixtraining.train.EpochMetrics;
import org.mixtraining.train.InterleavedTasks;
import org.mixtraining.train.StepListener;
import org.mixtraining.train.TaskBatches;
import org.mixtraining.train.TrainingBatch;
import org.mixtraining.train.WorkerBatches;
import org.mixtraining.train.WorkerEpoch;
import org.mixtraining.vit.Batch;
import org.mixtraining.vit.Head;
import org.mixtraining.vit.ModelSpec;
import org.mixtraining.vit.Perturbed;
import org.mixtraining.vit.Replica;
import org.mixtraining.vit.Served;
import org.mixtraining.vit.StepResult;
import org.mixtraining.vit.Tensor;
import org.mixtraining.vit.ViT;
import org.mixtraining.vit.ViTFixtures;
import org.mixtraining.vit.ViTGraph;
import org.mixtraining.vit.state.ModelState;

/**
 * Whole training steps of the GPU's program, its kernels run on the CPU, held against those of the
 * graph.
 */
class GpuStepsTest {
  private static final WorkerThreads CALLER = new WorkerThreads(1);

  private static final long SEED = 11;
  static final int STEPS = 3;
  private static final int IMAGES = 5;
  static final List<Head> ONE_HEAD = List.of(new Head(ModelState.HEAD, 5, 1));

  /** 12-pixel images in 3-pixel patches: 16 patches, 4 visible; widths that no warp fits. */
  private static ViT vit(Pooling pooling, double dropPath, Positions positions) {
    return ViTFixtures.vit(
        12, 3, 3, 12, 2, 3, 20, 1, 2, 5, pooling, 0.75, true, dropPath, positions, null);
  }

  static final ViT VIT = vit(Pooling.MEAN, 0, Positions.SIN_COS);

  @ParameterizedTest
  @CsvSource({
    "SSL, VISIBLE",
    "SL, VISIBLE",
    "JOINT, VISIBLE",
    "JOINT, CORRUPTED",
    "JOINT, TWO_PASS"
  })
  void stepsEqualTheGraphs(Objective objective, MixPass pass) {
    assertSame(VIT, ONE_HEAD, plan(objective, pass, 0), batches(objective, IMAGES, IMAGES, 3));
  }

  @Test
  void anSlStepCanHidePatches() {
    List<TrainingBatch> supervised =
        batches(Objective.JOINT, IMAGES, 3).stream()
            .map(TrainingBatch.Prepared.class::cast)
            .<TrainingBatch>map(
                joint ->
                    new TrainingBatch.Prepared(
                        joint.position(),
                        joint.head(),
                        joint.ids(),
                        joint.targets(),
                        joint.imageSize(),
                        joint.maskRatio(),
                        joint.pixels(),
                        joint.mask(),
                        false))
            .toList();
    assertSame(VIT, ONE_HEAD, plan(Objective.SL, EncoderInput.VISIBLE, 0), supervised);
  }

  @Test
  void theMaskMayChangeFromStepToStep() {
    Objective joint = Objective.JOINT;
    assertSame(
        VIT,
        ONE_HEAD,
        plan(joint, MixPass.VISIBLE, 0),
        List.of(
            batch(VIT.masking(0.5), ModelState.HEAD, joint, IMAGES, 0),
            batch(VIT, ModelState.HEAD, joint, IMAGES, 1),
            batch(VIT.masking(0.5), ModelState.HEAD, joint, IMAGES, 2)));
  }

  @ParameterizedTest
  @CsvSource({"SL, VISIBLE", "JOINT, VISIBLE"})
  void theClassTokenCanBePooled(Objective objective, MixPass pass) {
    ViT vit = vit(Pooling.CLS, 0, Positions.SIN_COS);
    assertSame(vit, ONE_HEAD, plan(objective, pass, 0), batches(objective, IMAGES, IMAGES));
  }

  @ParameterizedTest
  @CsvSource("JOINT, TWO_PASS")
  void branchesThatImagesSkipAreTheGraphs(Objective objective, MixPass pass) {
    ViT vit = vit(Pooling.MEAN, 0.5, Positions.SIN_COS);
    assertSame(vit, ONE_HEAD, plan(objective, pass, 0), batches(objective, IMAGES, 3));
  }

  @ParameterizedTest
  @CsvSource("JOINT, TWO_PASS")
  void positionsCanBeLearned(Objective objective, MixPass pass) {
    ViT vit = vit(Pooling.MEAN, 0, Positions.LEARNED);
    assertSame(vit, ONE_HEAD, plan(objective, pass, 0), batches(objective, IMAGES, IMAGES));
  }

  @ParameterizedTest
  @CsvSource("JOINT, VISIBLE")
  void anMlpCanHaveAnyWidth(Objective objective, MixPass pass) {
    ViT vit =
        ViTFixtures.vit(
            12, 3, 3, 12, 2, 3, 20, 1, 2, 5, Pooling.MEAN, 0.75, true, 0, Positions.SIN_COS, 3);
    assertSame(vit, ONE_HEAD, plan(objective, pass, 0), batches(objective, IMAGES, IMAGES));
  }

  @ParameterizedTest
  @CsvSource("SSL, VISIBLE")
  void aPatchCanBeOneValue(Objective objective, MixPass pass) {
    ViT vit = ViTFixtures.vit(4, 1, 1, 12, 1, 3, 12, 1, 3, 5, Pooling.MEAN, 0.75, true);
    TrainingBatch batch = batch(vit, ModelState.HEAD, objective, IMAGES, 0);
    assertSame(vit, ONE_HEAD, plan(objective, pass, 0), List.of(batch));
  }

  @ParameterizedTest
  @CsvSource({"JOINT, 0.1", "SL, 100"})
  void aGradientIsClippedAsTheGraphs(Objective objective, double clip) {
    EpochPlan plan = plan(objective, MixPass.VISIBLE, clip);
    assertSame(VIT, ONE_HEAD, plan, batches(objective, IMAGES, IMAGES));
  }

  /** Images of 12 pixels and 5 classes, and of 9 pixels and 3 classes. */
  @ParameterizedTest
  @CsvSource({"SSL, VISIBLE", "SL, VISIBLE", "JOINT, TWO_PASS"})
  void tasksTakeTurns(Objective objective, MixPass pass) {
    List<Head> heads = List.of(new Head("head-large", 5, 1), new Head("head-small", 3, 0.5));
    List<ViT> models = List.of(VIT, VIT.serving(new Served(9, 3, 0.75)));
    List<TrainingBatch> batches = new ArrayList<>();
    for (int step = 0; step < STEPS; step++) {
      int task = step % 2;
      batches.add(batch(models.get(task), heads.get(task).name(), objective, IMAGES, step));
    }

    assertSame(VIT, heads, plan(objective, pass, 0), batches);
  }

  /** bfloat16 keeps 8 bits: a product's terms are off by up to 0.4 %. */
  @ParameterizedTest
  @CsvSource({"SSL, VISIBLE", "SL, VISIBLE", "JOINT, VISIBLE", "JOINT, TWO_PASS"})
  void inBfloat16LossesAndGradientsAreCloseAndRepeatToTheBit(Objective objective, MixPass pass) {
    assertCloseInBfloat16(VIT, objective, pass);
  }

  /** Heads 16 wide, in the encoder and in the decoder. */
  @ParameterizedTest
  @CsvSource({"JOINT, TWO_PASS"})
  void onTensorCoresTheyAreTheSame(Objective objective, MixPass pass) {
    ViT vit =
        ViTFixtures.vit(
            12, 3, 3, 48, 2, 3, 32, 1, 2, 5, Pooling.MEAN, 0.75, true, 0, Positions.SIN_COS, null);
    assertCloseInBfloat16(vit, objective, pass);
  }

  private static void assertCloseInBfloat16(ViT vit, Objective objective, MixPass pass) {
    EpochPlan plan = plan(objective, pass, 0);
    List<TrainingBatch> batches = batches(objective, IMAGES, IMAGES, IMAGES, IMAGES);
    List<TrainingBatch> begin = batches.subList(0, 1);
    try (Replica graph = replica(vit, ONE_HEAD, plan);
        Replica first = replica(vit, ONE_HEAD, plan);
        Replica second = replica(vit, ONE_HEAD, plan)) {
      List<StepResult> expected = fit(graph, plan, begin);
      List<StepResult> actual = new ArrayList<>(onDevice(first, Memory.Type.BF16, plan, begin));
      assertThat(actual.get(0).loss())
          .isCloseTo(expected.get(0).loss(), within(0.01 * expected.get(0).loss()));
      Map<String, float[]> moments = moments(graph);
      moments(first)
          .forEach(
              (name, m) ->
                  assertThat(relativeError(m, moments.get(name))).as(name).isLessThan(0.05));

      for (TrainingBatch next : batches.subList(1, batches.size())) {
        actual.addAll(onDevice(first, Memory.Type.BF16, plan, List.of(next)));
      }
      assertThat(onDevice(second, Memory.Type.BF16, plan, batches))
          .as("the last two steps of these launch a graph again")
          .isEqualTo(actual);
      assertThat(second.state()).isEqualTo(first.state());
    }
  }

  @Test
  void minibatchesInPartsAreRefused() {
    EpochPlan plan = ViTFixtures.inParts(2, plan(Objective.SL, MixPass.VISIBLE, 0));
    try (Replica replica = replica(VIT, ONE_HEAD, plan);
        GpuSteps steps = new GpuSteps(TestGpu.open(Memory.Type.FLOAT), replica)) {
      assertThatThrownBy(() -> steps.begin(plan, STEPS))
          .isInstanceOf(UserException.class)
          .hasMessageStartingWith("mixtraining.optimizer.accumulate = 2: a GPU takes");
    }
  }

  @Test
  void anEpochsStateIsThatOfItsStepsTakenInTwoEpochs() {
    EpochPlan plan = plan(Objective.SL, MixPass.VISIBLE, 0);
    List<TrainingBatch> batches = batches(Objective.SL, IMAGES, IMAGES);
    try (Replica replica = replica(VIT, ONE_HEAD, plan);
        Replica again = replica(VIT, ONE_HEAD, plan);
        GpuSteps steps = new GpuSteps(TestGpu.open(Memory.Type.FLOAT), again)) {
      onDevice(replica, Memory.Type.FLOAT, plan, batches);
      for (TrainingBatch batch : batches) {
        steps.begin(plan, STEPS);
        steps.take(batch);
        steps.end();
      }
      assertThat(again.state()).isEqualTo(replica.state());
      assertThat(again.state().block(ModelState.HEAD).steps()).isEqualTo(9);
    }
  }

  /** Where images lie during an epoch. */
  enum Place {
    DEVICE,
    MEMORY,
    DISK
  }

  /** The same job with images that the CPU prepares and with images that the device prepares. */
  @ParameterizedTest
  @CsvSource({"SSL, DEVICE", "SL, MEMORY", "JOINT, DEVICE", "JOINT, MEMORY", "SL, DISK"})
  void imagesPreparedOnTheDeviceMakeTheSameEpoch(Objective objective, Place place) {
    JobConfig config = JobConfig.load(Optional.empty(), List.of("optimizer.batch-size=4"));
    EpochPlan plan = plan(objective, MixPass.VISIBLE, 0);
    Share images = place == Place.DISK ? OnDisk.of(images()) : images();
    try (Replica onCpu = replica(VIT, ONE_HEAD, plan);
        Replica onDevice = replica(VIT, ONE_HEAD, plan)) {
      Gpu gpu = TestGpu.open(Memory.Type.FLOAT);
      if (gpu instanceof HostGpu host && place == Place.MEMORY) {
        host.freeBytes(0);
      }
      EpochMetrics expected =
          epoch(
              TestGpu.open(Memory.Type.FLOAT),
              onCpu,
              plan,
              WorkerBatches.of(config, VIT, plan, images, CALLER).prepared(0));
      EpochMetrics actual =
          epoch(gpu, onDevice, plan, WorkerBatches.of(config, VIT, plan, images, CALLER).raw(0));

      assertThat(actual)
          .usingRecursiveComparison()
          .ignoringFields("computeSeconds", "waitSeconds")
          .withEqualsForType(Double::equals, Double.class) // so that NaN equals NaN
          .isEqualTo(expected);
      assertThat(actual.images()).isEqualTo(6);
      assertThat(onDevice.state()).isEqualTo(onCpu.state());
    }
  }

  /** Images of 12 pixels and 5 classes, and of 9 pixels and 3 classes. */
  @ParameterizedTest
  @CsvSource({"SSL", "SL", "JOINT"})
  void soDoThoseOfSeveralTasks(Objective objective) {
    JobConfig config = JobConfig.load(Optional.empty(), List.of("optimizer.batch-size=4"));
    EpochPlan plan = plan(objective, MixPass.VISIBLE, 0);
    List<Head> heads = List.of(new Head("head-large", 5, 1), new Head("head-small", 3, 0.5));
    List<Share> tasks = List.of(images(12, 5), images(9, 3));
    List<ViT> models = List.of(VIT, VIT.serving(new Served(9, 3, 0.75)));
    List<TaskBatches> prepared = new ArrayList<>();
    List<TaskBatches> raw = new ArrayList<>();
    for (int task = 0; task < 2; task++) {
      WorkerBatches batches =
          new WorkerBatches(
              config,
              models.get(task),
              plan,
              heads.get(task).name(),
              tasks.get(task),
              Optional.empty(),
              3,
              CALLER);
      prepared.add(batches.prepared(0));
      raw.add(batches.raw(0));
    }
    try (Replica onCpu = replica(VIT, heads, plan);
        Replica onDevice = replica(VIT, heads, plan)) {
      Gpu gpu = TestGpu.open(Memory.Type.FLOAT);
      epoch(TestGpu.open(Memory.Type.FLOAT), onCpu, plan, new InterleavedTasks(prepared, 0));
      epoch(gpu, onDevice, plan, new InterleavedTasks(raw, 0));

      assertThat(onDevice.state()).isEqualTo(onCpu.state());
      if (gpu instanceof HostGpu host) {
        assertThat(host.uploads()).isEqualTo(2);
      }
    }
  }

  private static EpochMetrics epoch(
      Gpu gpu, Replica replica, EpochPlan plan, Iterator<TrainingBatch> batches) {
    try (GpuSteps steps = new GpuSteps(gpu, replica)) {
      return WorkerEpoch.run(replica, steps, plan, 0, batches, StepListener.NONE);
    }
  }

  private static Share images() {
    return images(12, 5);
  }

  private static Share images(int size, int classes) {
    byte[][] pixels = new byte[6][3 * size * size];
    SplittableRandom random = new SplittableRandom(3);
    Arrays.stream(pixels).forEach(random::nextBytes);
    long[] ids = LongStream.range(0, 6).map(i -> i << 33 | i).toArray();
    ImageSet images =
        ImageSet.of(
            ids,
            IntStream.range(0, 6).map(i -> i % classes).toArray(),
            new double[6],
            pixels,
            3,
            size,
            size);
    return Share.all(images, new Normalization(List.of(0.5, 0.4, 0.3), List.of(0.2, 0.3, 0.25)));
  }

  // --- both ways -------------------------------------------------------------------------------

  private static void assertSame(
      ViT vit, List<Head> heads, EpochPlan plan, List<TrainingBatch> batches) {
    try (Replica graph = replica(vit, heads, plan);
        Replica device = replica(vit, heads, plan)) {
      for (List<TrainingBatch> part : List.of(batches.subList(0, 1), batches)) {
        List<StepResult> expected = fit(graph, plan, part);
        List<StepResult> actual = onDevice(device, Memory.Type.FLOAT, plan, part);
        assertThat(actual).hasSameSizeAs(expected);
        for (int i = 0; i < actual.size(); i++) {
          StepResult a = actual.get(i);
          StepResult e = expected.get(i);
          assertThat(a.loss()).as("step %d", i).isCloseTo(e.loss(), within(1e-5));
          assertThat(a.labelled()).isEqualTo(e.labelled());
          assertThat(a.correct()).isEqualTo(e.correct());
          assertThat(new double[] {a.sslLoss(), a.slLoss()})
              .usingComparatorWithPrecision(1e-5)
              .containsExactly(e.sslLoss(), e.slLoss());
        }
        assertSame(parameters(device), parameters(graph));
        assertSame(moments(device), moments(graph));
        graph
            .state()
            .blocks()
            .forEach(
                (name, block) ->
                    assertThat(device.state().block(name).steps())
                        .as(name)
                        .isEqualTo(block.steps()));
      }
    }
  }

  private static void assertSame(Map<String, float[]> actual, Map<String, float[]> expected) {
    assertThat(actual.keySet()).isEqualTo(expected.keySet());
    expected.forEach(
        (name, values) ->
            assertThat(relativeError(actual.get(name), values)).as(name).isLessThan(1e-4));
  }

  private static double relativeError(float[] actual, float[] expected) {
    double difference = 0;
    double norm = 0;
    for (int i = 0; i < expected.length; i++) {
      difference += Math.pow(actual[i] - expected[i], 2);
      norm += Math.pow(expected[i], 2);
    }
    return Math.sqrt(difference) / Math.max(1e-6, Math.sqrt(norm));
  }

  private static List<StepResult> fit(
      Replica replica, EpochPlan plan, List<TrainingBatch> batches) {
    replica.load(replica.state());
    replica.plan(plan, STEPS);
    return batches.stream()
        .map(batch -> (TrainingBatch.Prepared) batch)
        .map(
            batch -> {
              replica.mask(batch.maskRatio());
              return replica.fit(batch.arrays(), batch.head(), batch.ids());
            })
        .toList();
  }

  static List<StepResult> onDevice(
      Replica replica, Memory.Type matrixType, EpochPlan plan, List<TrainingBatch> batches) {
    try (GpuSteps steps = new GpuSteps(TestGpu.open(matrixType), replica)) {
      steps.begin(plan, STEPS);
      List<StepResult> results = new ArrayList<>();
      batches.forEach(batch -> results.addAll(steps.take(batch)));
      results.addAll(steps.end());
      return results;
    }
  }

  // --- samples ---------------------------------------------------------------------------------

  static EpochPlan plan(Objective objective, MixPass pass, double clip) {
    return plan(objective, EncoderInput.of(objective, pass), clip);
  }

  private static EpochPlan plan(Objective objective, EncoderInput input, double clip) {
    double alpha =
        switch (objective) {
          case SSL -> 1;
          case SL -> 0;
          case JOINT -> 0.3;
        };
    LearningRate rate = new LearningRate(2e-3, 1e-4, 1.5, 3);
    return new EpochPlan(1, 3, Phase.MIX, objective, input, alpha, 0.75, null, rate, clip, 1);
  }

  /** No parameter at a special value, and every block with steps behind it. */
  static Replica replica(ViT vit, List<Head> heads, EpochPlan plan) {
    OptimizerConfig optimizer =
        new OptimizerConfig(
            new OptimizerConfig.Rates(1, 0, 0, OptimizerConfig.Span.RUN),
            0.5,
            0.5,
            new OptimizerConfig.Betas(0.9, 0.95),
            new OptimizerConfig.Betas(0.9, 0.999),
            64,
            1,
            0,
            0);
    Replica replica =
        new Replica(
            ViTGraph.configuration(vit, heads, plan.objective(), plan.input(), optimizer, SEED));
    replica.load(Perturbed.state(replica.state(), 0.1, 7, 17));
    return replica;
  }

  static List<TrainingBatch> batches(Objective objective, int... images) {
    List<TrainingBatch> batches = new ArrayList<>();
    for (int step = 0; step < images.length; step++) {
      batches.add(batch(VIT, ModelState.HEAD, objective, images[step], step));
    }
    return batches;
  }

  /** The last image has no label. */
  static TrainingBatch batch(ViT vit, String head, Objective objective, int images, int step) {
    SplittableRandom random = new SplittableRandom(step);
    float[] pixels =
        new float
            [images
                * vit.architecture().channels()
                * vit.served().imageSize()
                * vit.served().imageSize()];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = (float) (2 * random.nextDouble() - 1);
    }
    int[] labels =
        IntStream.range(0, images).map(i -> (i + step) % vit.served().classes()).toArray();
    labels[images - 1] = -1;
    long[] ids = LongStream.range(0, images).map(i -> 100L * step + i).toArray();
    float[] none = {};
    return new TrainingBatch.Prepared(
        new TrainingBatch.Position(step, STEPS),
        head,
        ids,
        objective == Objective.SSL ? none : Batch.targets(vit, labels, 0.1),
        vit.served().imageSize(),
        vit.served().maskRatio(),
        pixels,
        objective == Objective.SL ? none : Batch.masks(vit, ids, SEED, 3),
        objective != Objective.SL);
  }

  // --- tensors by name -------------------------------------------------------------------------

  private static Map<String, float[]> parameters(Replica replica) {
    return tensors(replica, ModelState.Block::parameters);
  }

  private static Map<String, float[]> moments(Replica replica) {
    return tensors(replica, ModelState.Block::m);
  }

  private interface Kind {
    float[] of(ModelState.Block block);
  }

  private static Map<String, float[]> tensors(Replica replica, Kind kind) {
    ModelState state = replica.state();
    Map<String, float[]> tensors = new HashMap<>();
    for (ModelSpec.Layer layer : replica.spec().layers()) {
      for (Tensor tensor : layer.tensors()) {
        float[] block = kind.of(state.block(tensor.block()));
        int size = tensor.size();
        float[] values = Arrays.copyOfRange(block, tensor.at(), tensor.at() + size);
        if (tensor.name().equals("qkv.bias")) {
          // The gradient of the keys' bias is 0 but for rounding, which AdamW blows up.
          Arrays.fill(values, size / 3, size / 3 * 2, 0);
        }
        tensors.put(tensor.path(), values);
      }
    }
    return tensors;
  }
}
