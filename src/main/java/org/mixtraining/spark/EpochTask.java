package org.mixtraining.spark;

import java.io.Serializable;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.vit.state.ModelState;

/**
 * The broadcast of an epoch: everything that its tasks need.
 *
 * @param plan the epoch
 * @param graph JSON of the objective's ComputationGraph configuration
 * @param state the blocks that the graph uses, with moments and step counts
 * @param devices what workers compute on
 */
record EpochTask(EpochPlan plan, String graph, ModelState state, WorkerDevices devices)
    implements Serializable {}
