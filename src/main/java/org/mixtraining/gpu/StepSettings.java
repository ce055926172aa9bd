package org.mixtraining.gpu;

import java.util.List;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.vit.GraphSpec;
import org.mixtraining.vit.Head;
import org.mixtraining.vit.ViTGraph;

/** Parameters that change from step to step, as {@code step.cuh} reads them. */
final class StepSettings {

  /** Values of a step. */
  static final int STEP = 4;

  /** Values of a block of parameters. */
  static final int BLOCK = 4;

  private StepSettings() {}

  /**
   * Where the metrics go, the weights of both losses, and the limit of the gradient's norm.
   *
   * @param head that takes part; null in SSL
   */
  static float[] ofStep(int slot, EpochPlan plan, Head head, int labelled) {
    double share = head == null ? 0 : head.weight();
    return new float[] {
      slot,
      (float) plan.alpha(),
      (float) ((1 - plan.alpha()) * share / Math.max(1, labelled)),
      (float) plan.clip()
    };
  }

  /** The learning rate of each block and its bias corrections; a rate of -1 where it rests. */
  static float[] ofBlocks(GraphSpec spec, Parameters parameters, Head head, double rate) {
    List<String> blocks = parameters.blocks();
    float[] settings = new float[BLOCK * blocks.size()];
    for (int i = 0; i < blocks.size(); i++) {
      String block = blocks.get(i);
      if (rests(block, head)) {
        settings[BLOCK * i] = -1;
      } else {
        parameters.step(block);
        long step = parameters.steps(block);
        settings[BLOCK * i] = (float) rate;
        settings[BLOCK * i + 1] = (float) (1 / (1 - Math.pow(spec.beta1(), step)));
        settings[BLOCK * i + 2] = (float) (1 / (1 - Math.pow(spec.beta2(), step)));
      }
    }
    return settings;
  }

  /** Of several heads, only that of the minibatch's task takes part. */
  private static boolean rests(String block, Head head) {
    return ViTGraph.isHead(block) && head != null && !block.equals(head.name());
  }
}
