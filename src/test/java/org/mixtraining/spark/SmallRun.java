package org.mixtraining.spark;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.mixtraining.config.JobConfig;
import org.mixtraining.data.DatasetManifest;
import org.mixtraining.data.ImageSet;
import org.mixtraining.data.Shards;
import org.mixtraining.data.Share;
import org.mixtraining.data.Split;
import org.mixtraining.kernels.Engine;
import org.mixtraining.kernels.Processor;
import org.mixtraining.kernels.WorkerThreads;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.schedule.Objective;
import org.mixtraining.schedule.Rounds;
import org.mixtraining.train.EpochMetrics;
import org.mixtraining.train.WorkerBatches;
import org.mixtraining.train.WorkerEpoch;
import org.mixtraining.vit.Replica;
import org.mixtraining.vit.ViT;
import org.mixtraining.vit.ViTGraph;
import org.mixtraining.vit.layers.Compute;
import org.mixtraining.vit.state.ModelState;
import org.mixtraining.vit.state.ModelState.Block;

/** A run of seconds, and what its workers do when they are called one by one, without Spark. */
public record SmallRun(JobConfig config, DatasetManifest manifest) {

  private static final int SHARDS = 4;

  /** 120 drawn images in 4 shards, 16 tokens, one SSL, one JOINT and one SL epoch. */
  public static JobConfig config(Path dataset, String... overrides) {
    var settings =
        new ArrayList<>(
            List.of(
                "data.format=synthetic",
                "data.path=" + dataset,
                "data.synthetic={train = 120, test = 40}",
                "data.shards=" + SHARDS,
                "model.preset=vit-nano",
                "model.patch=8",
                "model.decoder.depth=1",
                "epochs={ssl = 2, sl = 2}",
                "mix.ratio=0.5",
                "optimizer.batch-size=16",
                "averaging.rounds=1",
                "run.seed=1"));
    settings.addAll(List.of(overrides));
    return JobConfig.load(Optional.empty(), settings);
  }

  static SmallRun of(JobConfig config) {
    return new SmallRun(
        config, DatasetManifest.read(new Configuration(false), config.data().path()));
  }

  ViT vit() {
    return ViT.of(
        config.model(),
        manifest.height(),
        manifest.width(),
        manifest.channels(),
        manifest.classCount());
  }

  /** A graph for the epoch, with weights that the state will replace. */
  Replica replica(EpochPlan plan) {
    return new Replica(
        ViTGraph.configuration(
            vit(), plan.objective(), plan.input(), config.optimizer(), config.run().seed()));
  }

  ImageSet images(Split split, int... shards) {
    return new Shards(new Configuration(false), config.data().path(), manifest, split)
        .read(shards, 1);
  }

  /** A state whose blocks of the given names an objective is about to train for the first time. */
  static ModelState fresh(ModelState state, List<String> blocks) {
    var fresh = new HashMap<String, Block>();
    for (String name : blocks) {
      float[] parameters = state.block(name).parameters();
      int size = parameters.length;
      fresh.put(name, new Block(parameters, new float[size], new float[size], 0));
    }
    return state.with(new ModelState(fresh));
  }

  /** A worker's part of each batch of the epoch, from some of the shards. */
  WorkerBatches batches(EpochPlan plan, int... shards) {
    double share =
        plan.objective() == Objective.SL
            ? config.data().labelledFraction()
            : config.data().fraction();
    long images = manifest.images(Split.TRAIN, share);
    return new WorkerBatches(
        config,
        vit(),
        plan,
        ModelState.HEAD,
        Share.all(images(Split.TRAIN, shards), manifest.normalization()),
        Optional.empty(),
        (int) Math.ceil(images / (double) config.optimizer().batchSize()),
        new WorkerThreads(1));
  }

  /** Where an epoch on some of the shards ends, and what it measured. */
  record Local(ModelState state, EpochMetrics metrics) {}

  Local epoch(EpochPlan plan, ModelState before, int... shards) {
    return round(plan, new Rounds.Round(0, 0, Integer.MAX_VALUE), before, shards);
  }

  Local round(EpochPlan plan, Rounds.Round round, ModelState before, int... shards) {
    try (Compute compute =
            new Compute(Engine.cpu(1, Processor.precision(config.workers().precision())));
        Compute.Scope scope = compute.use();
        Replica replica = replica(plan)) {
      replica.load(before);
      var batches = batches(plan, shards).prepared(round.from()).until(round.to());
      EpochMetrics metrics = WorkerEpoch.run(replica, plan, 0, batches);
      return new Local(before.with(replica.state()), metrics);
    }
  }
}
