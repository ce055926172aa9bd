package org.mixtraining.spark;

import java.io.Serializable;
import org.mixtraining.run.TrainingData;

/**
 * The data and devices of every task of a run, broadcast once: Hadoop's configuration is in the
 * data.
 */
record TaskSetup(TrainingData data, WorkerDevices devices) implements Serializable {}
