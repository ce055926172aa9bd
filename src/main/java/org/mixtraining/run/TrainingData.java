package org.mixtraining.run;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.mixtraining.config.DataConfig;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.MixConfig.MixPass;
import org.mixtraining.config.ModelConfig.Positions;
import org.mixtraining.config.Secrets;
import org.mixtraining.config.UserException;
import org.mixtraining.data.DatasetManifest;
import org.mixtraining.data.Minibatches;
import org.mixtraining.data.PreparedDataset;
import org.mixtraining.data.Split;
import org.mixtraining.formats.ModelCard;
import org.mixtraining.kernels.WorkerThreads;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.schedule.MixSchedule;
import org.mixtraining.schedule.Objective;
import org.mixtraining.schedule.Rounds;
import org.mixtraining.train.TrainingBatch;
import org.mixtraining.vit.EncoderInput;
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
  /** Images on which an accuracy has a standard error of up to five points. */
  private static final long FEW = 100;

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
          PreparedDataset.open(hadoop, config.data().key(task), task.path(), workers);
      labelled.add(new LabelledData(task, dataset));
    }
    PreparedDataset first = labelled.get(0).dataset();
    if (config.data().tasks().isEmpty()) {
      first.manifest().checkPreparation(config.data());
    }
    checkPositions(config, labelled);
    PreparedDataset ssl = first;
    if (!config.data().ssl().isEmpty()) {
      ssl = PreparedDataset.open(hadoop, "mixtraining.data.ssl", config.data().ssl(), workers);
      first.manifest().checkShape(config.data().ssl(), ssl.manifest());
    }
    TrainingData data = new TrainingData(config, List.copyOf(labelled), ssl);
    data.checkReconstruction();
    if (data.trainsHead()) {
      data.checkLabels();
    }
    return data;
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
                      task.task().name(), m.height(), m.normalization(), m.classes());
                })
            .toList());
  }

  /**
   * Checks that every task has a labelled image to train on, which small shares may not leave.
   *
   * @throws UserException if a task has none
   */
  public void checkLabels() {
    DataConfig data = config.data();
    for (LabelledData task : labelled) {
      DatasetManifest m = task.dataset().manifest();
      if (m.images(Split.TRAIN, data.labelledFraction()) == 0) {
        throw new UserException(
            String.format(
                Locale.ROOT,
                "mixtraining.data.fraction = %s with mixtraining.data.label-fraction = %s: leave no labelled image of %s, which has %d training images, at most %d per class",
                data.fraction(),
                data.labelFraction(),
                Secrets.inText(task.dataset().path()),
                m.images(Split.TRAIN),
                Collections.max(m.splits().get(Split.TRAIN).histogram())));
      }
    }
  }

  /**
   * Validation images that models of a task are selected on: no more than it has training labels.
   */
  public long validated(LabelledData task) {
    DatasetManifest manifest = task.dataset().manifest();
    return manifest.heldOutImages(Split.VALIDATION, config.data().labelledFraction());
  }

  /** Warnings about the validation images that the model is selected on, a line per task. */
  public List<String> notes() {
    List<String> notes = new ArrayList<>();
    for (LabelledData task : labelled) {
      long used = validated(task);
      long all = task.dataset().manifest().images(Split.VALIDATION);
      if (trainsHead() && all > 0 && (used < all || used < FEW)) {
        notes.add(
            String.format(
                Locale.ROOT,
                "models are selected on %d of %d validation images of %s%s%s",
                used,
                all,
                Secrets.inText(task.task().path()),
                used < all ? ": no more per class than there are training labels" : "",
                used < FEW
                    ? String.format(
                        Locale.ROOT,
                        "; on so few, the standard error of an accuracy is up to %.0f points: compare means over seeds",
                        100 * Math.sqrt(0.25 / Math.max(1, used)))
                    : ""));
      }
    }
    return notes;
  }

  /** A learned position belongs to a place in images of one size. */
  private static void checkPositions(JobConfig config, List<LabelledData> labelled) {
    List<Integer> sizes =
        labelled.stream().map(task -> task.dataset().manifest().height()).distinct().toList();
    if (config.model().positions() == Positions.LEARNED && sizes.size() > 1) {
      throw new UserException(
          "mixtraining.model.positions = learned: all tasks need images of one size, but theirs are %s pixels; sin-cos takes any"
              .formatted(sizes));
    }
  }

  /** A patch of one value, normalised by itself, is 0 whatever it was. */
  private void checkReconstruction() {
    boolean reconstructs =
        MixSchedule.of(config).epochs().stream().anyMatch(plan -> plan.objective() != Objective.SL);
    if (reconstructs && vit().architecture().normPix() && vit().architecture().patchValues() == 1) {
      throw new UserException(
          "mixtraining.model.norm-pix = true: with grey images and mixtraining.model.patch = 1 a patch is one value, which normalises to 0; set false, or use larger patches");
    }
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
  public ComputationGraphConfiguration graph(Objective objective, MixPass pass) {
    return ViTGraph.configuration(
        vit(), heads(), objective, pass, config.optimizer(), config.run().seed());
  }

  /** The model before the first epoch: it depends on the seed and the architecture only. */
  public ModelState initialModel() {
    try (Replica replica = new Replica(graph(Objective.JOINT, jointPass()))) {
      return replica.state();
    }
  }

  /** Bytes of that model's parameters and moments. */
  public long stateBytes() {
    return layers(Objective.JOINT, jointPass())
        .mapToLong(layer -> 3L * Float.BYTES * layer.size())
        .sum();
  }

  private MixPass jointPass() {
    return MixSchedule.of(config).epochs().stream()
        .filter(plan -> plan.objective() == Objective.JOINT)
        .map(EpochPlan::pass)
        .findFirst()
        .orElse(MixPass.VISIBLE);
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
    DataConfig data = config.data();
    return task.dataset()
        .manifest()
        .images(
            Split.TRAIN,
            plan.objective() == Objective.SL ? data.labelledFraction() : data.fraction());
  }

  /** Steps of an epoch on a task: batches of all workers together. */
  int steps(LabelledData task, EpochPlan plan) {
    return Minibatches.steps(images(task, plan), config.optimizer().batchSize());
  }

  private int steps(EpochPlan plan) {
    return labelled.stream().mapToInt(task -> steps(task, plan)).sum();
  }

  /** The rounds of an epoch. */
  public Rounds rounds(EpochPlan plan) {
    long run = MixSchedule.of(config).epochs().stream().mapToLong(this::steps).sum();
    return Rounds.of(config.averaging().rounds(), steps(plan), run, config.workers().count());
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
        layers(plan.objective(), plan.pass())
            .map(ModelSpec.Layer::block)
            .collect(Collectors.toSet()));
  }

  private Stream<ModelSpec.Layer> layers(Objective objective, MixPass pass) {
    EncoderInput input = EncoderInput.of(objective, pass);
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
