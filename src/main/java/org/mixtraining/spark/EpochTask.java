package org.mixtraining.spark;

import java.io.Serializable;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.vit.ModelState;

/**
 * What the driver broadcasts to train an epoch.
 *
 * @param plan the epoch
 * @param graph JSON of the objective's ComputationGraph configuration
 * @param state the blocks that the graph uses, with moments and step counts
 * @param threads compute threads of a worker
 */
record EpochTask(EpochPlan plan, String graph, ModelState state, int threads)
    implements Serializable {}
