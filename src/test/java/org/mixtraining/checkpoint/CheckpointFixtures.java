package org.mixtraining.checkpoint;

import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.mixtraining.results.RunRow.Progress;
import org.mixtraining.run.RunState;
import org.mixtraining.run.ShardAssignment;
import org.mixtraining.schedule.Objective;
import org.mixtraining.schedule.Patience;
import org.mixtraining.vit.state.ModelState;
import org.mixtraining.vit.state.ModelState.Block;

/** Checkpoints of made-up numbers. */
final class CheckpointFixtures {

  private CheckpointFixtures() {}

  /** After so many epochs; equal for equal numbers. */
  static Checkpoint checkpoint(int epochs) {
    SplittableRandom random = new SplittableRandom(epochs);
    ModelState model =
        new ModelState(
            Map.of(
                "encoder", block(random, 300, 3L * epochs),
                "head/a b", block(random, 7, Long.MAX_VALUE - epochs),
                "none", new Block(new float[0], new float[0], new float[0], 0)));
    float[] none = {};
    ModelState averaging =
        new ModelState(Map.of("outer", new Block(floats(random, 300), none, none, 0)));
    Block moments = new Block(none, floats(random, 300), floats(random, 300), 5);
    SortedMap<Objective, ModelState> resting =
        new TreeMap<>(Map.of(Objective.SSL, new ModelState(Map.of("encoder", moments))));
    return new Checkpoint(
        new RunState(
            epochs,
            model,
            resting,
            averaging,
            Patience.FRESH.scored(0.5, epochs, 0),
            new ShardAssignment(List.of(0.1 + 0.2, 3.0))),
        new Progress(
            epochs, 0.1 + 0.2, 1, null, 1.0 / 3, 1L << 40, 1e300, 0.1, 0.7, 4, 0.3, 1e299, null),
        "{\"mixtraining\":{\"run\":{\"id\":\"é \\\"quoted\\\"\"}}}",
        new TreeMap<>(Map.of("dataset.fingerprint", "f00d", "version.job", "1")));
  }

  private static Block block(SplittableRandom random, int size, long steps) {
    return new Block(floats(random, size), floats(random, size), floats(random, size), steps);
  }

  /** Any bits at all: denormals, infinities, and one of every kind that compares oddly. */
  private static float[] floats(SplittableRandom random, int size) {
    float[] values = new float[size];
    for (int i = 0; i < size; i++) {
      values[i] = Float.intBitsToFloat(random.nextInt());
    }
    values[0] = -0f;
    values[size - 1] = Float.NEGATIVE_INFINITY;
    values[1] = Float.NaN;
    return values;
  }
}
