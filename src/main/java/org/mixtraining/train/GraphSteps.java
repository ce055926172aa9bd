package org.mixtraining.train;

import java.util.List;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.vit.Replica;
import org.mixtraining.vit.StepResult;
import org.mixtraining.vit.layers.Compute;

/** Steps by the graph's own {@code fit}. */
record GraphSteps(Replica replica) implements StepExecutor {

  @Override
  public void begin(EpochPlan plan, int steps) {
    Compute.require();
    replica.plan(plan, steps);
  }

  @Override
  public List<StepResult> take(TrainingBatch minibatch) {
    if (minibatch instanceof TrainingBatch.Prepared prepared) {
      replica.step(prepared.position().step());
      replica.mask(prepared.maskRatio());
      return List.of(replica.fit(prepared.arrays(), prepared.head(), prepared.ids()));
    }
    throw new IllegalArgumentException("a graph takes prepared images, not raw ones");
  }

  @Override
  public List<StepResult> end() {
    return List.of();
  }
}
