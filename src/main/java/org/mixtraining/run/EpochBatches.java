package org.mixtraining.run;

import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.mixtraining.config.DataConfig;
import org.mixtraining.config.JobConfig;
import org.mixtraining.data.ImageSet;
import org.mixtraining.data.PreparedDataset;
import org.mixtraining.data.Share;
import org.mixtraining.data.Split;
import org.mixtraining.kernels.WorkerThreads;
import org.mixtraining.run.TrainingData.Steps;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.schedule.Objective;
import org.mixtraining.schedule.Rounds;
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
    return share(task.dataset(), data.config().data().fraction(), this::visited);
  }

  /** Those of some images that the epoch visits. */
  private Share visited(Share all) {
    DataConfig asked = data.config().data();
    return plan.unlabelledApart()
        ? all.visiting(plan.visitedUnlabelled(), asked.fraction(), asked.labelledFraction())
        : all;
  }

  private Share share(PreparedDataset dataset, double fraction, UnaryOperator<Share> visiting) {
    JobConfig config = data.config();
    int workers = config.workers().count();
    int shards = dataset.manifest().shards();
    long seed = config.run().seed();
    boolean reshuffle = config.data().reshuffle();
    ImageSet held =
        reshuffle
            ? dataset.all(Split.TRAIN, fraction, worker)
            : dataset.shards(
                Split.TRAIN, assignment.shards(worker, workers, shards), fraction, worker);
    Share visited = visiting.apply(Share.all(held, dataset.manifest().normalization()));
    if (!reshuffle) {
      return visited;
    }
    return dataset.caching().window() > 0
        ? visited.rotated(shards, worker, workers, seed, plan.epoch())
        : visited.assigned(worker, workers, seed, plan.epoch(), config.data().labelledFraction());
  }
}
