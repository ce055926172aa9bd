package org.mixtraining.train;

import java.util.List;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.vit.Replica;
import org.mixtraining.vit.Replica.StepResult;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/** Steps by the graph's own {@code fit}. */
record GraphSteps(Replica replica) implements StepExecutor {

  @Override
  public void begin(EpochPlan plan, int steps) {
    replica.plan(plan, steps);
  }

  @Override
  public List<StepResult> take(MultiDataSet minibatch) {
    return List.of(replica.fit(minibatch));
  }

  @Override
  public List<StepResult> end() {
    return List.of();
  }

  @Override
  public void close() {
    // The replica is not its own.
  }
}
