package org.mixtraining.spark;

import java.util.List;
import java.util.Optional;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.resource.ResourceProfile;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.KebabCase;
import org.mixtraining.config.UserException;
import org.mixtraining.run.Backend;
import org.mixtraining.run.EpochTrainer;
import org.mixtraining.run.Evaluator;
import org.mixtraining.run.TrainingData;
import org.mixtraining.spark.exchange.ExecutorBlocks;
import org.mixtraining.spark.exchange.StateExchange;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A Spark session in which the epochs of one run are trained and scored. */
public final class SparkBackend implements Backend {

  private static final Logger LOG = LoggerFactory.getLogger(SparkBackend.class);

  private final List<String> notes;
  private final Broadcast<TaskSetup> setup;
  private final StateExchange exchange;
  private final Supervision supervision;
  private final EpochTrainer trainer;
  private final Evaluator evaluator;

  /**
   * @param trainings runs that are trained side by side in the session, this one among them
   * @throws UserException if {@link Prerequisites} do not hold
   */
  public SparkBackend(JavaSparkContext spark, TrainingData data, int trainings) {
    Prerequisites.checkSerializer(spark.getConf());
    JobConfig config = data.config();
    WorkerDevices devices = WorkerDevices.of(config.workers(), spark.getConf());
    LOG.info(
        "workers compute on {} in {}: {}",
        devices.gpus() ? "GPUs" : "the CPU",
        KebabCase.of(devices.precision()),
        devices.reason());
    Optional<ResourceProfile> profile = devices.profile(spark.sc(), config.workers().perExecutor());
    long stateBytes = data.stateBytes();
    TrainingData placed = Prerequisites.check(spark, data, stateBytes, devices.steps(), trainings);
    Speedup speedup = Speedup.of(placed, devices.gpus());
    boolean apart = !spark.isLocal(); // or an average costs next to nothing
    this.notes = apart && !speedup.pays() ? List.of(speedup.describe()) : List.of();
    this.setup = spark.broadcast(new TaskSetup(placed, devices));
    this.exchange = exchange(config, stateBytes, room(spark.getConf()), profile);
    this.supervision = new Supervision(spark, config.workers().patience());
    this.trainer = new SparkEpochTrainer(spark, placed, setup, profile, exchange, supervision);
    this.evaluator = new SparkEvaluator(spark, placed, setup, profile, supervision);
  }

  private static StateExchange.Room room(SparkConf conf) {
    long results = conf.getSizeAsBytes("spark.driver.maxResultSize", "1g");
    return new StateExchange.Room(
        Runtime.getRuntime().maxMemory(), results == 0 ? Long.MAX_VALUE : results);
  }

  private static StateExchange exchange(
      JobConfig config,
      long stateBytes,
      StateExchange.Room driver,
      Optional<ResourceProfile> profile) {
    StateExchange.Choice choice =
        StateExchange.choose(
            config.averaging().exchange(),
            config.workers().count(),
            stateBytes,
            driver,
            ExecutorBlocks.available(),
            profile);
    LOG.info("{}", choice.reason());
    return choice.exchange();
  }

  @Override
  public EpochTrainer trainer() {
    return trainer;
  }

  @Override
  public Evaluator evaluator() {
    return evaluator;
  }

  @Override
  public List<String> notes() {
    return notes;
  }

  @Override
  public void close() {
    supervision.close();
    exchange.close();
    setup.destroy();
  }
}
