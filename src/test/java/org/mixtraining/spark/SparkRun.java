package org.mixtraining.spark;

import java.util.List;
import java.util.SortedMap;
import org.apache.spark.api.java.JavaSparkContext;
import org.mixtraining.config.JobConfig;
import org.mixtraining.data.Split;
import org.mixtraining.run.EpochSink;
import org.mixtraining.run.RunState;
import org.mixtraining.run.TrainingLoop;
import org.mixtraining.train.Prediction;
import org.mixtraining.vit.state.ModelState;

/** A run in a Spark session. */
public record SparkRun(JobConfig config, SparkBackend backend) implements AutoCloseable {

  public SparkRun(JavaSparkContext spark, JobConfig config) {
    this(config, new SparkBackend(spark, config));
  }

  public RunState initialState() {
    return backend.initialState();
  }

  public RunState train(RunState from, EpochSink finished) {
    return new TrainingLoop(config, backend.trainer(), backend.evaluator(), List.of(finished))
        .run(from);
  }

  public SortedMap<String, List<Prediction>> predictions(ModelState model) {
    return backend.evaluator().predict(model, Split.TEST);
  }

  @Override
  public void close() {
    backend.close();
  }
}
