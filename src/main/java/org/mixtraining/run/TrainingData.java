package org.mixtraining.run;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.IntSummaryStatistics;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.mixtraining.config.DataConfig;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.OptimizerConfig.Betas;
import org.mixtraining.config.UserException;
import org.mixtraining.data.DatasetManifest;
import org.mixtraining.data.Minibatches;
import org.mixtraining.data.PreparedDataset;
import org.mixtraining.data.Split;
import org.mixtraining.formats.ModelCard;
import org.mixtraining.kernels.WorkerThreads;
import org.mixtraining.schedule.EncoderInput;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.schedule.MixSchedule;
import org.mixtraining.schedule.Objective;
import org.mixtraining.schedule.Rounds;
import org.mixtraining.schedule.Slice;
import org.mixtraining.train.TrainingBatch;
import org.mixtraining.vit.Head;
import org.mixtraining.vit.ModelSpec;
import org.mixtraining.vit.Replica;
import org.mixtraining.vit.ViT;
import org.mixtraining.vit.ViTGraph;
import org.mixtraining.vit.state.ModelState;

/**
 * The datasets that the workers of a run train on.
 *
 * @param labelled the dataset of each task; a single one is that of {@code data.path}
 * @param ssl the dataset of {@code data.ssl}, by default that of the single task
 */
public record TrainingData(JobConfig config, List<LabelledData> labelled, PreparedDataset ssl)
    implements Serializable {
  /**
   * The data of a configuration.
   *
   * @throws UserException if a dataset is missing, does not serve the workers or the model, or the
   *     two of {@code data.path} and {@code data.ssl} differ in the shape of their images
   */
  public static TrainingData open(Configuration hadoop, JobConfig config) {
    int workers = config.workers().count();
    List<LabelledData> labelled = new ArrayList<>();
    for (DataConfig.Task task : config.data().labelled()) {
      PreparedDataset dataset =
          PreparedDataset.open(
              hadoop, config.data().key(task), task.path(), workers, config.data().caching());
      labelled.add(new LabelledData(task, dataset));
    }
    PreparedDataset first = labelled.get(0).dataset();
    if (config.data().tasks().isEmpty()) {
      first.manifest().checkPreparation(config.data());
    }
    PreparedDataset ssl = first;
    if (!config.data().ssl().isEmpty()) {
      ssl =
          PreparedDataset.open(
              hadoop,
              "mixtraining.data.ssl",
              config.data().ssl(),
              workers,
              config.data().caching());
      first.manifest().checkShape(config.data().ssl(), ssl.manifest());
    }
    TrainingData data = new TrainingData(config, List.copyOf(labelled), ssl);
    DataChecks checks = new DataChecks(data);
    checks.positions();
    checks.reconstruction();
    if (data.trainsHead()) {
      checks.labels();
    }
    return data;
  }

  /** The same data, kept elsewhere. */
  public TrainingData in(DataConfig.Cache cache) {
    List<LabelledData> kept =
        labelled.stream()
            .map(task -> new LabelledData(task.task(), task.dataset().in(cache)))
            .toList();
    return new TrainingData(config, kept, ssl.in(cache));
  }

  /** The labelled datasets by the names of their tasks, in the order of the configuration. */
  public Map<String, DatasetManifest> manifests() {
    Map<String, DatasetManifest> byTask = new LinkedHashMap<>();
    labelled.forEach(task -> byTask.put(task.task().name(), task.dataset().manifest()));
    return byTask;
  }

  /** The dataset of {@code data.ssl}; without one, the SSL objective sees the labelled ones. */
  public Optional<DatasetManifest> sslManifest() {
    return apart() ? Optional.of(ssl.manifest()) : Optional.empty();
  }

  /** The inputs of the model that it trains, and the meaning of its outputs. */
  public ModelCard card() {
    return new ModelCard(
        vit(),
        labelled.stream()
            .map(
                task -> {
                  DatasetManifest m = task.dataset().manifest();
                  return new ModelCard.Task(
                      task.task().name(),
                      m.height(),
                      m.normalization(),
                      m.classes(),
                      config.evaluation().crop());
                })
            .toList());
  }

  /**
   * Validation images that models of a task are selected on: no more than it has training labels.
   */
  public long validated(LabelledData task) {
    DatasetManifest manifest = task.dataset().manifest();
    return manifest.heldOutImages(Split.VALIDATION, config.data().labelledFraction());
  }

  /** The model of the configuration for the images of the first task. */
  public ViT vit() {
    return vit(labelled.get(0));
  }

  /** The same for those of any; where tasks are grey and coloured, it sees colours. */
  public ViT vit(LabelledData task) {
    DatasetManifest m = task.dataset().manifest();
    int channels = manifests().values().stream().mapToInt(x -> x.channels()).max().orElseThrow();
    return ViT.of(config.model(), m.height(), m.width(), channels, m.classCount());
  }

  /** The graph of an objective. */
  public ComputationGraphConfiguration graph(Objective objective, EncoderInput input) {
    return ViTGraph.configuration(
        vit(), heads(), objective, input, config.optimizer(), config.run().seed());
  }

  /** The model before the first epoch: it depends on the seed and the architecture only. */
  public ModelState initialModel() {
    try (Replica replica = new Replica(graph(Objective.JOINT, jointInput()))) {
      return replica.state();
    }
  }

  /** Bytes of that model's parameters and moments. */
  public long stateBytes() {
    return layers(Objective.JOINT, jointInput())
        .mapToLong(layer -> 3L * Float.BYTES * layer.size())
        .sum();
  }

  private EncoderInput jointInput() {
    return MixSchedule.of(config).epochs().stream()
        .filter(plan -> plan.objective() == Objective.JOINT)
        .map(EpochPlan::input)
        .findFirst()
        .orElse(EncoderInput.VISIBLE);
  }

  public List<Head> heads() {
    return labelled.stream().map(LabelledData::head).toList();
  }

  /** Floating-point operations of scoring a model once, by formula. */
  public double evaluationFlops() {
    double flops = 0;
    for (LabelledData task : labelled) {
      DatasetManifest m = task.dataset().manifest();
      flops += (validated(task) + m.images(Split.TEST)) * vit(task).inferenceFlops();
    }
    return flops;
  }

  /** Images of a task, over all workers, that an epoch trains on. */
  public long images(LabelledData task, EpochPlan plan) {
    if (apart() && plan.objective() == Objective.SSL) {
      return ssl.manifest().images(Split.TRAIN);
    }
    return plan.objective() == Objective.SL
        ? labelled(task)
        : labelled(task) + unlabelled(task, plan.visitedUnlabelled());
  }

  /** Images of a task, over all workers, that have a label. */
  public long labelled(LabelledData task) {
    return task.dataset().manifest().labelled(Split.TRAIN, config.data().labelledFraction());
  }

  private long unlabelled(LabelledData task, Slice slice) {
    double fraction = config.data().fraction();
    double labels = config.data().labelledFraction();
    return task.dataset().manifest().unlabelled(Split.TRAIN, slice, fraction, labels);
  }

  /** Steps of an epoch on a task: batches of all workers together. */
  int steps(LabelledData task, EpochPlan plan) {
    int batchSize = config.optimizer().batchSize();
    long apart = plan.unlabelledApart() ? labelled(task) : 0;
    return Minibatches.steps(apart, batchSize)
        + Minibatches.steps(images(task, plan) - apart, batchSize);
  }

  private int steps(EpochPlan plan) {
    return labelled.stream().mapToInt(task -> steps(task, plan)).sum();
  }

  /** AdamW's decay rates in an objective's epochs. */
  public Betas betas(Objective objective) {
    return ViTGraph.betas(config.optimizer(), objective);
  }

  /** The rounds of an epoch. */
  public Rounds rounds(EpochPlan plan) {
    IntSummaryStatistics run =
        MixSchedule.of(config).epochs().stream().mapToInt(this::steps).summaryStatistics();
    return Rounds.of(
        config.averaging().rounds(),
        steps(plan),
        run.getMax(),
        run.getSum(),
        config.workers().count());
  }

  /**
   * A worker's minibatches of a round, made as they are asked for.
   *
   * @param threads that prepare the images
   */
  public Iterator<TrainingBatch> batches(
      EpochPlan plan,
      Rounds.Round round,
      ShardAssignment assignment,
      int worker,
      Steps steps,
      WorkerThreads threads) {
    return new EpochBatches(this, plan, assignment, worker, steps, threads).of(round);
  }

  /** Where whole training steps are taken, and images are prepared for them. */
  public enum Steps {
    ON_CPU,
    ON_DEVICE
  }

  /** Whether the SSL objective has a dataset of its own. */
  public boolean apart() {
    return !config.data().ssl().isEmpty();
  }

  /** Whether any epoch of the run trains a head. */
  public boolean trainsHead() {
    return MixSchedule.of(config).needsLabels();
  }

  /** The blocks of a model that an epoch's graph has. */
  public ModelState trained(EpochPlan plan, ModelState model) {
    return model.only(
        layers(plan.objective(), plan.input())
            .map(ModelSpec.Layer::block)
            .collect(Collectors.toSet()));
  }

  private Stream<ModelSpec.Layer> layers(Objective objective, EncoderInput input) {
    return ModelSpec.of(vit(), heads()).layers(objective, input).stream();
  }

  /** The blocks of a model that predict: encoder and heads, without moments. */
  public ModelState predicting(ModelState model) {
    Stream<String> heads = heads().stream().map(Head::name);
    return model
        .only(Stream.concat(Stream.of(ModelState.ENCODER), heads).toList())
        .withoutMoments();
  }
}
