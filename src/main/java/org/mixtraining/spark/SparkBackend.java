package org.mixtraining.spark;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.resource.ResourceProfile;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.UserException;
import org.mixtraining.data.DatasetManifest;
import org.mixtraining.formats.ModelCard;
import org.mixtraining.run.Backend;
import org.mixtraining.run.EpochTrainer;
import org.mixtraining.run.Evaluator;
import org.mixtraining.run.RunState;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A Spark session in which the epochs of one run are trained and scored. */
public final class SparkBackend implements Backend {

  private static final Logger LOG = LoggerFactory.getLogger(SparkBackend.class);

  private final JobConfig config;
  private final TrainingData data;
  private final Supervision supervision;
  private final EpochTrainer trainer;
  private final Evaluator evaluator;

  /**
   * @throws UserException if a dataset is missing or does not fit the model or the workers, or
   *     {@link Prerequisites} do not hold
   */
  public SparkBackend(JavaSparkContext spark, JobConfig config) {
    Prerequisites.checkSerializer(spark.getConf());
    this.config = config;
    this.data = TrainingData.open(spark.hadoopConfiguration(), config);
    WorkerDevices devices = WorkerDevices.of(config.workers(), spark.getConf());
    LOG.info("workers compute on {}: {}", devices.gpus() ? "GPUs" : "the CPU", devices.reason());
    Optional<ResourceProfile> profile = devices.profile(spark.sc(), config.workers().perExecutor());
    long stateBytes = initialState().model().bytes();
    Prerequisites.check(spark, config, data, stateBytes, devices.steps());
    this.supervision = new Supervision(spark, config.workers().patience());
    this.trainer =
        new SparkEpochTrainer(spark, data, devices, profile, exchange(stateBytes), supervision);
    this.evaluator = new SparkEvaluator(spark, data, devices, profile, supervision);
  }

  private StateExchange exchange(long stateBytes) {
    StateExchange.Choice choice =
        StateExchange.choose(
            config.averaging().exchange(),
            config.workers().count(),
            stateBytes,
            Runtime.getRuntime().maxMemory());
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

  /** The labelled datasets by the names of their tasks, in the order of the configuration. */
  public Map<String, DatasetManifest> manifests() {
    Map<String, DatasetManifest> manifests = new LinkedHashMap<>();
    data.labelled().forEach(task -> manifests.put(task.task().name(), task.dataset().manifest()));
    return manifests;
  }

  /** What a person should know of its data. */
  public List<String> notes() {
    return data.notes();
  }

  /** The dataset of {@code data.ssl}; without one, the SSL objective sees the labelled ones. */
  public Optional<DatasetManifest> sslManifest() {
    return config.data().ssl().isEmpty() ? Optional.empty() : Optional.of(data.ssl().manifest());
  }

  /** What the model that it trains takes, and what its outputs mean. */
  public ModelCard card() {
    return new ModelCard(
        data.vit(),
        data.labelled().stream()
            .map(
                task -> {
                  DatasetManifest m = task.dataset().manifest();
                  return new ModelCard.Task(
                      task.task().name(), m.height(), m.normalization(), m.classes());
                })
            .toList());
  }

  /** The state of a run before its first epoch: it depends on the seed and the model only. */
  public RunState initialState() {
    return data.initial();
  }

  @Override
  public void close() {
    supervision.close();
  }
}
