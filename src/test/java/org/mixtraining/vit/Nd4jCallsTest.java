package org.mixtraining.vit;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.mixtraining.config.MixConfig.MixPass;
import org.mixtraining.config.ModelConfig.Pooling;
import org.mixtraining.kernels.Engine;
import org.mixtraining.kernels.Nd4jCalls;
import org.mixtraining.schedule.Objective;
import org.mixtraining.vit.layers.Compute;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/** What the passes of a model take of a device: every operation of ND4J is a launch there. */
class Nd4jCallsTest {
  /** Of 17 tokens each: on the CPU, several pieces of work. */
  private static final int IMAGES = 24;

  private static ViT vit(int depth) {
    return ViTFixtures.vit(12, 3, 3, 12, depth, 3, 20, 1, 2, 5, Pooling.MEAN, 0.75, true);
  }

  private static long callsOfBothPasses(int depth) {
    ViT vit = vit(depth);
    MultiDataSet batch = ViTFixtures.batch(vit, Objective.SL, IMAGES);
    try (Compute compute = new Compute(Engine.nd4j());
        Compute.Scope scope = compute.use();
        Replica replica = ViTFixtures.replica(vit, Objective.SL, MixPass.VISIBLE)) {
      replica.plan(ViTFixtures.plan(Objective.SL, MixPass.VISIBLE, 0, 1e-3), 2);
      ViTFixtures.fit(replica, batch);
      var graph = replica.graph();
      graph.setInputs(batch.getFeatures());
      graph.setLabels(batch.getLabels());
      graph.setLayerMaskArrays(batch.getFeaturesMaskArrays(), null);
      try (Nd4jCalls calls = new Nd4jCalls()) {
        graph.computeGradientAndScore();
        return calls.count();
      }
    }
  }

  @Test
  void anEncoderBlockTakesAtMostFortyCalls() {
    assertThat(callsOfBothPasses(4) - callsOfBothPasses(3)).isBetween(20L, 40L);
  }
}
