package org.mixtraining.spark;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.WorkersConfig.Precision;
import org.mixtraining.data.DatasetManifest;
import org.mixtraining.data.Minibatch;
import org.mixtraining.data.Minibatches;
import org.mixtraining.data.PreparedDataset;
import org.mixtraining.data.Split;
import org.mixtraining.kernels.Device;
import org.mixtraining.run.DataChecks;
import org.mixtraining.run.LabelledData;
import org.mixtraining.run.TrainingData;
import org.mixtraining.schedule.EncoderInput;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.schedule.MixSchedule;
import org.mixtraining.schedule.Objective;
import org.mixtraining.train.Features;
import org.mixtraining.train.Predictor;
import org.mixtraining.train.ReplicaPool;
import org.mixtraining.vit.Batch;
import org.mixtraining.vit.Reconstruction;
import org.mixtraining.vit.Replica;
import org.mixtraining.vit.ViTGraph;
import org.mixtraining.vit.layers.Compute;
import org.mixtraining.vit.state.ModelState;

/** A trained model for inspection: its features, and its reconstructions. */
public final class FrozenModel {

  private final JavaSparkContext spark;
  private final JobConfig config;
  private final ModelState model;
  private final TrainingData data;

  /**
   * @param config of the run that trained it
   * @throws org.mixtraining.config.UserException if its datasets are missing or do not fit
   */
  public FrozenModel(JavaSparkContext spark, JobConfig config, ModelState model) {
    this.spark = spark;
    this.config = config;
    this.model = model;
    MemoryGiven given = MemoryGiven.to(spark.getConf(), spark.defaultParallelism());
    this.data =
        ImagePlacement.of(
            TrainingData.open(spark.hadoopConfiguration(), config),
            inMemory -> MemoryNeed.imageBytes(inMemory) * given.tasks() <= given.direct());
  }

  /** The dataset of the first task. */
  public DatasetManifest manifest() {
    return data.labelled().get(0).dataset().manifest();
  }

  // --- features --------------------------------------------------------------------------------

  /**
   * Features of one task's images.
   *
   * @param training those whose labels the run was allowed to know, as they are
   */
  public record TaskFeatures(
      String task, int classes, Features training, Features validation, Features test) {}

  /** The features of one part of each split of each task. */
  private record Part(int part, List<Features> features) implements Serializable {}

  /**
   * Of every task, in one stage of as many tasks as workers, on GPUs where those of such a run can
   * be had that take whole steps.
   *
   * @throws org.mixtraining.config.UserException if the run was allowed to know no label of one
   */
  public List<TaskFeatures> features() {
    new DataChecks(data).labels();
    Broadcast<ModelState> broadcast = spark.broadcast(data.predicting(model));
    try {
      List<Part> parts = parts(broadcast);
      List<TaskFeatures> tasks = new ArrayList<>();
      int splits = Split.values().length;
      for (int t = 0; t < data.labelled().size(); t++) {
        LabelledData task = data.labelled().get(t);
        int at = t * splits;
        tasks.add(
            new TaskFeatures(
                task.task().name(),
                task.dataset().manifest().classCount(),
                whole(parts, at + Split.TRAIN.ordinal()),
                whole(parts, at + Split.VALIDATION.ordinal()),
                whole(parts, at + Split.TEST.ordinal())));
      }
      return tasks;
    } finally {
      broadcast.destroy();
    }
  }

  private static Features whole(List<Part> parts, int index) {
    return Features.concat(parts.stream().map(part -> part.features().get(index)).toList());
  }

  private List<Part> parts(Broadcast<ModelState> broadcast) {
    String graph = data.graph(Objective.SL, EncoderInput.FULL).toJson();
    int parts = config.workers().count();
    JobConfig job = config;
    List<LabelledData> tasks = data.labelled();
    WorkerDevices devices = WorkerDevices.ofTrained(job.workers(), spark.getConf());
    JavaRDD<Integer> numbers = spark.parallelize(IntStream.range(0, parts).boxed().toList(), parts);
    if (devices.scoreModels()) {
      devices.profile(spark.sc(), job.workers().perExecutor()).ifPresent(numbers::withResources);
    }
    return numbers
        .map(
            part ->
                new Part(
                    part,
                    features(broadcast.value(), graph, job, tasks, part, devices.ofScoringTask())))
        .collect()
        .stream()
        .sorted(Comparator.comparingInt(Part::part))
        .toList();
  }

  private static List<Features> features(
      ModelState model,
      String graph,
      JobConfig job,
      List<LabelledData> tasks,
      int part,
      Device device) {
    device.bind();
    try (ReplicaPool.Lease lease =
        ReplicaPool.borrow(ReplicaPool.Purpose.EVALUATION, graph, device)) {
      Predictor predictor = lease.predictor();
      predictor.load(model);
      List<Features> features = new ArrayList<>();
      for (LabelledData task : tasks) {
        PreparedDataset dataset = task.dataset();
        for (Split split : Split.values()) {
          double labelled = job.data().labelledFraction();
          int parts = job.workers().count();
          Iterator<Minibatch> images =
              dataset.manifest().images(split) == 0
                  ? List.<Minibatch>of().iterator()
                  : Minibatches.evaluation(
                      split == Split.TRAIN
                          ? dataset.part(split, part, parts, labelled)
                          : dataset.heldOut(split, part, parts, labelled),
                      dataset.manifest().normalization(),
                      job.evaluation().crop(),
                      job.scoredAtOnce());
          features.add(Features.of(predictor, new InterruptibleIterator<>(images)));
        }
      }
      lease.done();
      return features;
    }
  }

  // --- reconstructions -------------------------------------------------------------------------

  /**
   * The images as the run's first masked epoch would show them to the model, and as the model
   * completes them; empty if the run has no such epoch, and so no decoder that was trained.
   *
   * @param images of the first task's dataset
   */
  public Optional<Reconstruction> reconstruct(Minibatch images) {
    return MixSchedule.of(config).epochs().stream()
        .filter(plan -> plan.objective() != Objective.SL)
        .findFirst()
        .map(plan -> reconstruct(images, plan));
  }

  private Reconstruction reconstruct(Minibatch images, EpochPlan plan) {
    var vit = data.vit().masking(plan.maskRatio());
    try (Compute compute = new Compute(Device.any(1, Precision.FP32).engine());
        Compute.Scope scope = compute.use();
        Replica replica =
            new Replica(
                ViTGraph.configuration(
                    vit, data.heads(), plan.objective(), plan.input(), config.optimizer(), 0))) {
      replica.loadParameters(model);
      var batch =
          Batch.training(
              vit,
              Objective.SSL,
              images.pixels(),
              images.ids(),
              new float[0],
              config.run().seed(),
              plan.epoch());
      return replica.reconstruct(batch);
    }
  }
}
