package org.mixtraining.run;

import java.util.List;
import org.mixtraining.schedule.Rounds;
import org.mixtraining.vit.state.ModelState;

/**
 * A trained epoch, not yet scored.
 *
 * @param average of the states that the workers ended with: the blocks that were trained
 * @param workers each worker's share, in worker order
 * @param rounds after each of which the workers were averaged
 * @param syncBytes state sent to and from the workers
 * @param assignment of shards to workers in the next epoch
 */
public record EpochResult(
    ModelState average,
    List<WorkerShare> workers,
    Rounds rounds,
    long syncBytes,
    ShardAssignment assignment) {}
