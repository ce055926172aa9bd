package org.mixtraining.spark;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.mixtraining.config.JobConfig;
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
import org.mixtraining.vit.ViT;
import org.mixtraining.vit.ViTGraph;
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

  /**
   * Of every task, in one stage of as many tasks as workers.
   *
   * @throws org.mixtraining.config.UserException if the run was allowed to know no label of one
   */
  public List<TaskFeatures> features() {
    new DataChecks(data).labels();
    JobConfig job = config;
    List<LabelledData> labelled = data.labelled();
    List<List<Features>> parts =
        inTasks(
            config.workers().count(),
            data.graph(Objective.SL, EncoderInput.FULL),
            data.predicting(model),
            (predictor, part) -> features(predictor, job, labelled, part));
    List<TaskFeatures> tasks = new ArrayList<>();
    int splits = Split.values().length;
    for (int t = 0; t < labelled.size(); t++) {
      LabelledData task = labelled.get(t);
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
  }

  private static Features whole(List<List<Features>> parts, int index) {
    return Features.concat(parts.stream().map(part -> part.get(index)).toList());
  }

  /** The features of one part of each split of each task. */
  private static List<Features> features(
      Predictor predictor, JobConfig job, List<LabelledData> tasks, int part) {
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
    return features;
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
    ViT vit = data.vit().masking(plan.maskRatio());
    float[] pixels = Batch.colours(vit, images.pixels(), images.size());
    float[] mask = Batch.masks(vit, images.ids(), config.run().seed(), plan.epoch());
    int count = images.size();
    int size = vit.served().imageSize();
    List<float[]> patches =
        inTasks(
            1,
            ViTGraph.configuration(
                vit, data.heads(), plan.objective(), plan.input(), config.optimizer(), 0),
            data.trained(plan, model).withoutMoments(),
            (predictor, task) -> predictor.patches(pixels, mask, count, size));
    return Reconstruction.of(vit, pixels, mask, patches.get(0));
  }

  // --- one stage -------------------------------------------------------------------------------

  /** The work of a task with a predictor of a model. */
  @FunctionalInterface
  private interface Work<R> extends Serializable {
    R of(Predictor predictor, int task);
  }

  /**
   * The results of some tasks, in their order, on GPUs where those of a run of this configuration
   * can be had that take whole steps.
   *
   * @param state the blocks that the graph has
   */
  private <R> List<R> inTasks(
      int tasks, ComputationGraphConfiguration graph, ModelState state, Work<R> work) {
    Broadcast<ModelState> broadcast = spark.broadcast(state);
    String configuration = graph.toJson();
    WorkerDevices devices = WorkerDevices.ofTrained(config.workers(), spark.getConf());
    JavaRDD<Integer> numbers = spark.parallelize(IntStream.range(0, tasks).boxed().toList(), tasks);
    if (devices.scoreModels()) {
      devices.profile(spark.sc(), config.workers().perExecutor()).ifPresent(numbers::withResources);
    }
    try {
      return numbers
          .map(
              task -> {
                Device device = devices.ofScoringTask();
                device.bind();
                try (ReplicaPool.Lease lease =
                    ReplicaPool.borrow(ReplicaPool.Purpose.EVALUATION, configuration, device)) {
                  Predictor predictor = lease.predictor();
                  predictor.load(broadcast.value());
                  R result = work.of(predictor, task);
                  lease.done();
                  return result;
                }
              })
          .collect();
    } finally {
      broadcast.destroy();
    }
  }
}
