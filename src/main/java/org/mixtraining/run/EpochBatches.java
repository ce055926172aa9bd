package org.mixtraining.run;

import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.mixtraining.config.DataConfig;
import org.mixtraining.config.JobConfig;
import org.mixtraining.data.ImageSet;
import org.mixtraining.data.Normalization;
import org.mixtraining.data.PreparedDataset;
import org.mixtraining.data.Share;
import org.mixtraining.data.Split;
import org.mixtraining.kernels.WorkerThreads;
import org.mixtraining.run.TrainingData.Steps;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.schedule.Objective;
import org.mixtraining.schedule.Rounds;
import org.mixtraining.schedule.Slice;
import org.mixtraining.train.EpochIterator;
import org.mixtraining.train.InterleavedTasks;
import org.mixtraining.train.TaskBatches;
import org.mixtraining.train.TrainingBatch;
import org.mixtraining.train.WorkerBatches;

/**
 * The minibatches of one worker in one epoch, from the shards that are assigned to it.
 *
 * @param steps where steps are taken
 * @param threads that prepare the images
 */
record EpochBatches(
    TrainingData data,
    EpochPlan plan,
    ShardAssignment assignment,
    int worker,
    Steps steps,
    WorkerThreads threads) {

  /** Those of a round, made as they are asked for. */
  Iterator<TrainingBatch> of(Rounds.Round round) {
    return from(round.from()).until(round.to());
  }

  private EpochIterator from(int step) {
    Optional<Share> none = Optional.empty();
    List<LabelledData> labelled = data.labelled();
    if (labelled.size() > 1) {
      List<Integer> begun =
          InterleavedTasks.begun(
              labelled.stream().map(task -> data.steps(task, plan)).toList(), step);
      return new InterleavedTasks(
          IntStream.range(0, labelled.size())
              .mapToObj(t -> of(labelled.get(t), share(labelled.get(t)), none, begun.get(t)))
              .toList(),
          step);
    }
    LabelledData task = labelled.get(0);
    if (!data.apart() || plan.objective() == Objective.SL) {
      return of(task, share(task), none, step);
    }
    Share others = share(data.ssl(), 1, UnaryOperator.identity());
    return plan.objective() == Objective.SSL
        ? of(task, others, none, step)
        : of(task, share(task), Optional.of(others), step);
  }

  private TaskBatches of(LabelledData task, Share images, Optional<Share> others, int from) {
    var batches =
        new WorkerBatches(
            data.config(),
            data.vit(task),
            plan,
            task.head().name(),
            images,
            others,
            data.steps(task, plan),
            threads);
    return steps == Steps.ON_DEVICE ? batches.raw(from) : batches.prepared(from);
  }

  private Share share(LabelledData task) {
    DataConfig asked = data.config().data();
    Slice unlabelled = plan.visitedUnlabelled();
    return share(
        task.dataset(),
        asked.fraction(),
        all -> all.visiting(unlabelled, asked.fraction(), asked.labelledFraction()));
  }

  private Share share(PreparedDataset dataset, double fraction, UnaryOperator<Share> visiting) {
    JobConfig config = data.config();
    int workers = config.workers().count();
    int shardCount = dataset.manifest().shards();
    long seed = config.run().seed();
    Normalization normalization = dataset.manifest().normalization();
    if (!config.data().reshuffle()) {
      List<Integer> own = assignment.shards(worker, workers, shardCount);
      ImageSet shards = dataset.shards(Split.TRAIN, own, fraction, worker);
      return visiting.apply(Share.all(shards, normalization));
    }
    ImageSet all = dataset.all(Split.TRAIN, fraction, worker);
    return dataset.caching().window() > 0
        ? visiting.apply(
            Share.rotated(all, normalization, shardCount, worker, workers, seed, plan.epoch()))
        : visiting
            .apply(Share.all(all, normalization))
            .assigned(worker, workers, seed, plan.epoch(), config.data().labelledFraction());
  }
}
