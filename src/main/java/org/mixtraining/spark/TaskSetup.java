package org.mixtraining.spark;

import java.io.Serializable;
import org.mixtraining.run.TrainingData;

/** What every task of a run needs, broadcast once: Hadoop's configuration is part of the data. */
record TaskSetup(TrainingData data, WorkerDevices devices) implements Serializable {}
