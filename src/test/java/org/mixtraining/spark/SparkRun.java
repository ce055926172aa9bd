package org.mixtraining.spark;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.storage.BlockId;
import org.mixtraining.config.JobConfig;
import org.mixtraining.data.Split;
import org.mixtraining.run.EpochSink;
import org.mixtraining.run.RunState;
import org.mixtraining.run.TrainingData;
import org.mixtraining.run.TrainingLoop;
import org.mixtraining.train.Prediction;
import org.mixtraining.vit.state.ModelState;

/** A run in a Spark session. */
public record SparkRun(TrainingData data, SparkBackend backend) implements AutoCloseable {

  public SparkRun(JavaSparkContext spark, JobConfig config) {
    this(TrainingData.open(spark.hadoopConfiguration(), config), spark);
  }

  private SparkRun(TrainingData data, JavaSparkContext spark) {
    this(data, new SparkBackend(spark, data, 1));
  }

  public RunState initialState() {
    return RunState.initial(data.initialModel());
  }

  public RunState train(RunState from, EpochSink finished) {
    return new TrainingLoop(
            data.config(), backend.trainer(), backend.evaluator(), finished, System::nanoTime)
        .run(from);
  }

  public SortedMap<String, List<Prediction>> predictions(ModelState model) {
    return backend.evaluator().predict(model, Split.TEST);
  }

  /** Blocks of RDDs in the block manager of this process. */
  public static Set<BlockId> blocksOfRdds() {
    Set<BlockId> found = new HashSet<>();
    SparkEnv.get().blockManager().getMatchingBlockIds(BlockId::isRDD).foreach(id -> found.add(id));
    return found;
  }

  @Override
  public void close() {
    backend.close();
  }
}
