package org.mixtraining.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.mixtraining.config.MixConfig.MixPass;
import org.mixtraining.config.ModelConfig.Pooling;
import org.mixtraining.config.ModelConfig.Positions;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.schedule.Objective;
import org.mixtraining.train.TrainingBatch;
import org.mixtraining.vit.Batch;
import org.mixtraining.vit.Replica;
import org.mixtraining.vit.StepResult;
import org.mixtraining.vit.ViT;
import org.mixtraining.vit.ViTFixtures;
import org.mixtraining.vit.state.ModelState;

/**
 * A hundred steps of the GPU's program in bfloat16, residual stream, gradients and GELU included,
 * against those of the graph in float32: gratings of five frequencies under noise are learned.
 */
class Bfloat16TrainingTest {
  private static final int IMAGES = 8;
  private static final int MINIBATCHES = 12;
  private static final int EPOCHS = 8;
  private static final int STEPS = MINIBATCHES * EPOCHS;
  private static final int SIZE = 12;

  /** Heads 16 wide, in the encoder and in the decoder. */
  private static final ViT VIT =
      ViTFixtures.vit(
          SIZE, 3, 3, 48, 2, 3, 32, 1, 2, 5, Pooling.MEAN, 0.75, true, 0, Positions.SIN_COS, null);

  private static TrainingBatch batch(int step) {
    int number = step % MINIBATCHES;
    SplittableRandom random = new SplittableRandom(number);
    int[] labels = IntStream.range(0, IMAGES).map(i -> random.nextInt(5)).toArray();
    float[] pixels = new float[IMAGES * 3 * SIZE * SIZE];
    for (int i = 0; i < pixels.length; i++) {
      int y = i / SIZE % SIZE;
      int x = i % SIZE;
      double wave = Math.sin((1 + labels[i / (3 * SIZE * SIZE)]) * (x + y) * Math.PI / SIZE);
      pixels[i] = (float) (wave + random.nextDouble(-0.5, 0.5));
    }
    long[] ids = LongStream.range(0, IMAGES).map(i -> 100L * number + i).toArray();
    return new TrainingBatch.Prepared(
        new TrainingBatch.Position(step, STEPS),
        ModelState.HEAD,
        ids,
        Batch.targets(VIT, labels, 0.1),
        SIZE,
        VIT.served().maskRatio(),
        pixels,
        Batch.masks(VIT, ids, 11, 3),
        true);
  }

  @Test
  void lossesFollowThoseInFloat32() {
    EpochPlan plan = GpuStepsTest.plan(Objective.JOINT, MixPass.VISIBLE, 0);
    List<TrainingBatch> steps =
        IntStream.range(0, STEPS).mapToObj(Bfloat16TrainingTest::batch).toList();
    try (Replica graph = GpuStepsTest.replica(VIT, GpuStepsTest.ONE_HEAD, plan);
        Replica device = GpuStepsTest.replica(VIT, GpuStepsTest.ONE_HEAD, plan)) {
      List<StepResult> expected = fit(graph, plan, steps);
      List<StepResult> actual = GpuStepsTest.onDevice(device, Memory.Type.BF16, plan, steps);

      double all = 0;
      for (int i = 0; i < STEPS; i++) {
        double error = actual.get(i).loss() / expected.get(i).loss() - 1;
        assertThat(error).as("step %s", i).isCloseTo(0, within(0.01));
        all += error;
      }
      assertThat(all / STEPS).isCloseTo(0, within(0.002));
      assertThat(mean(actual, EPOCHS - 1)).isLessThan(0.5 * mean(actual, 0));
    }
  }

  private static List<StepResult> fit(
      Replica replica, EpochPlan plan, List<TrainingBatch> batches) {
    replica.load(replica.state());
    replica.plan(plan, STEPS);
    replica.mask(VIT.served().maskRatio());
    return batches.stream()
        .map(batch -> (TrainingBatch.Prepared) batch)
        .map(batch -> replica.fit(batch.arrays(), batch.head(), batch.ids()))
        .toList();
  }

  /** With parameters that bfloat16 has. */
  private static ModelState rounded(ModelState state) {
    Map<String, ModelState.Block> blocks = new HashMap<>();
    state
        .blocks()
        .forEach(
            (name, block) -> {
              float[] p = block.parameters().clone();
              for (int i = 0; i < p.length; i++) {
                int bits = Float.floatToRawIntBits(p[i]);
                p[i] = Float.intBitsToFloat((bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000);
              }
              blocks.put(name, new ModelState.Block(p, block.m(), block.v(), block.steps()));
            });
    return new ModelState(blocks);
  }

  private static double mean(List<StepResult> results, int epoch) {
    return results.subList(epoch * MINIBATCHES, (epoch + 1) * MINIBATCHES).stream()
        .mapToDouble(StepResult::loss)
        .average()
        .orElseThrow();
  }
}
