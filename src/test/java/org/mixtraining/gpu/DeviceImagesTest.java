package org.mixtraining.gpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.MixConfig.MixPass;
import org.mixtraining.config.ModelConfig.Pooling;
import org.mixtraining.config.OptimizerConfig;
import org.mixtraining.data.ImageSet;
import org.mixtraining.data.Normalization;
import org.mixtraining.data.Share;
import org.mixtraining.kernels.WorkerThreads;
import org.mixtraining.schedule.EncoderInput;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.schedule.LearningRate;
import org.mixtraining.schedule.Objective;
import org.mixtraining.schedule.Phase;
import org.mixtraining.train.TaskBatches;
import org.mixtraining.train.TrainingBatch;
import org.mixtraining.train.TrainingBatch.Prepared;
import org.mixtraining.train.WorkerBatches;
import org.mixtraining.vit.GraphSpec;
import org.mixtraining.vit.Head;
import org.mixtraining.vit.Replica;
import org.mixtraining.vit.ViT;
import org.mixtraining.vit.ViTFixtures;
import org.mixtraining.vit.ViTGraph;
import org.mixtraining.vit.state.ModelState;

/** Images, targets and masks that the device prepares are those of the CPU, to the bit. */
class DeviceImagesTest {
  private static final WorkerThreads CALLER = new WorkerThreads(1);

  private static final int SIZE = 24; // with less than 255 pixels there is nothing to equalise
  private static final int IMAGES = 50;
  private static final int CLASSES = 5;
  private static final ViT VIT =
      ViTFixtures.vit(SIZE, 3, 4, 12, 1, 3, 12, 1, 3, CLASSES, Pooling.MEAN, 0.75, true);

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{crop-padding = 0, flip = false}",
        "{crop-padding = 4, flip = false}",
        "{crop-padding = 0, flip = true}",
        "{crop-padding = 3, flip = true}",
        "{random-resized-crop.scale = [0.2, 1], flip = true}",
        "{random-resized-crop {scale = [0.01, 0.1], ratio = [0.3, 3]}}",
        "{random-erasing = 0.8}",
        "{crop-padding = 0, flip = false, rand-augment {ops = 1, magnitude = 30}}",
        "{crop-padding = 0, flip = false, rand-augment {ops = 4, magnitude = 17}}",
        "{random-resized-crop.scale = [0.3, 1], crop-padding = 2, flip = true, rand-augment {ops = 2, magnitude = 9}, random-erasing = 0.25}"
      })
  void whateverIsDoneToThem(String augment) {
    for (Objective objective : List.of(Objective.SL, Objective.SSL)) {
      JobConfig config = config("augment.sl=" + augment, "augment.ssl=" + augment);
      EpochPlan plan = plan(objective);
      assertSame(config, VIT, plan, images(3, 1));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "augment.mixup=0.8",
        "augment.cutmix=1",
        "augment={mixup = 0.4, cutmix = 1, sl.flip = true}"
      })
  void mixedWithEachOther(String mixes) {
    JobConfig config = config(mixes);
    EpochPlan plan = plan(Objective.SL);
    assertSame(config, VIT, plan, images(3, 1));
  }

  /** That has other values on average, and is so small that it begins again within a minibatch. */
  @Test
  void mixedWithThoseOfAnotherDataset() {
    JobConfig config = config("augment.sl.rand-augment.ops=2", "mix.lambda=0.3");
    EpochPlan plan = plan(Objective.JOINT);
    Share others =
        share(3, 2, 7, new Normalization(List.of(0.1, 0.2, 0.3), List.of(0.1, 0.1, 0.1)));
    assertSame(
        VIT,
        plan,
        new WorkerBatches(
            config, VIT, plan, ModelState.HEAD, images(3, 1), Optional.of(others), 2, CALLER));
  }

  @Test
  void greyOnesForAModelThatSeesColours() {
    JobConfig config = config("augment.sl.rand-augment.ops=3", "augment.mixup=1");
    EpochPlan plan = plan(Objective.SL);
    assertSame(config, VIT, plan, images(1, 1));
  }

  @ParameterizedTest
  @ValueSource(doubles = {0.75, 0.5, 0.1})
  void visiblePatchesAreThoseOfTheSeed(double ratio) {
    ViT vit = VIT.masking(ratio);
    EpochPlan plan = plan(Objective.SSL, ratio);
    assertSame(config(), vit, plan, images(3, 1));
  }

  // --- both ways --------------------------------------------------------------------------------

  private static void assertSame(JobConfig config, ViT vit, EpochPlan plan, Share images) {
    assertSame(vit, plan, WorkerBatches.of(config, vit, plan, images, CALLER));
  }

  private static void assertSame(ViT vit, EpochPlan plan, WorkerBatches batches) {
    OptimizerConfig optimizer = config().optimizer();
    try (Replica replica =
            new Replica(ViTGraph.configuration(vit, plan.objective(), plan.input(), optimizer, 0));
        Gpu gpu = TestGpu.open(Memory.Type.FLOAT);
        Parameters parameters = new Parameters(gpu, replica.spec());
        Arena arena = new Arena(gpu);
        ResidentImages resident = new ResidentImages(gpu)) {
      GraphSpec spec = replica.spec();
      List<TrainingBatch> expected = new ArrayList<>();
      batches.prepared(0).forEachRemaining(expected::add);
      TaskBatches raw = batches.raw(0);
      assertThat(raw.steps()).isEqualTo(expected.size()).isEqualTo(2);
      for (TrainingBatch minibatch : expected) {
        Prepared onCpu = (Prepared) minibatch;
        TrainingBatch toPrepare = raw.next();
        Head head = spec.heads().stream().findFirst().orElse(null);
        var shape = new StepContext.Shape(vit, head, toPrepare.images(), false);
        StepContext bench = StepContext.of(gpu, parameters, arena, spec, shape);
        StepInput.write(bench, gpu, resident, toPrepare, plan);

        assertThat(read(gpu, bench.pixels())).isEqualTo(onCpu.pixels());
        assertThat(toPrepare.targets()).isEqualTo(onCpu.targets());
        if (onCpu.mask().length > 0) {
          assertThat(read(gpu, bench.mask())).isEqualTo(onCpu.mask());
        }
      }
    }
  }

  private static float[] read(Gpu gpu, Memory memory) {
    float[] values = new float[(int) memory.count()];
    gpu.read(memory, values);
    return values;
  }

  // --- samples ----------------------------------------------------------------------------------

  private static JobConfig config(String... settings) {
    List<String> all = new ArrayList<>(List.of(settings));
    all.add("optimizer.batch-size=40"); // the second minibatch is smaller
    return JobConfig.load(Optional.empty(), all);
  }

  private static EpochPlan plan(Objective objective) {
    return plan(objective, 0.75);
  }

  private static EpochPlan plan(Objective objective, double maskRatio) {
    double alpha = objective == Objective.SL ? 0 : 0.5;
    LearningRate rate = new LearningRate(1e-3, 0, 0, 3);
    return new EpochPlan(
        5,
        3,
        Phase.MIX,
        objective,
        EncoderInput.of(objective, MixPass.VISIBLE),
        alpha,
        maskRatio,
        null,
        rate,
        0,
        1);
  }

  private static Share images(int channels, long seed) {
    List<Double> mean = List.of(0.5, 0.4, 0.3).subList(0, channels);
    List<Double> std = List.of(0.2, 0.25, 0.3).subList(0, channels);
    return share(channels, seed, IMAGES, new Normalization(mean, std));
  }

  /** Images that do not use all values, so that there is something to stretch. */
  private static Share share(int channels, long seed, int count, Normalization normalization) {
    SplittableRandom random = new SplittableRandom(seed);
    byte[][] pixels = new byte[count][channels * SIZE * SIZE];
    for (byte[] image : pixels) {
      int low = random.nextInt(100);
      int high = random.nextInt(low + 1, 257);
      for (int i = 0; i < image.length; i++) {
        image[i] = (byte) random.nextInt(low, high);
      }
    }
    Arrays.fill(pixels[0], (byte) 77);
    ImageSet images =
        ImageSet.of(
            LongStream.range(0, count).map(i -> i << 33 | 7 * i).toArray(),
            IntStream.range(0, count).map(i -> i % CLASSES).toArray(),
            new double[count],
            pixels,
            channels,
            SIZE,
            SIZE);
    return Share.all(images, normalization);
  }
}
