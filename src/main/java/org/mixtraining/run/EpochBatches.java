package org.mixtraining.run;

import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import org.mixtraining.config.JobConfig;
import org.mixtraining.data.Normalization;
import org.mixtraining.data.PreparedDataset;
import org.mixtraining.data.Share;
import org.mixtraining.data.Split;
import org.mixtraining.kernels.WorkerThreads;
import org.mixtraining.run.TrainingData.Steps;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.schedule.Objective;
import org.mixtraining.train.InterleavedTasks;
import org.mixtraining.train.TaskBatches;
import org.mixtraining.train.TrainingBatch;
import org.mixtraining.train.WorkerBatches;

/** The minibatches of one worker in one epoch, from the shards that are assigned to it. */
record EpochBatches(TrainingData data, EpochPlan plan, ShardAssignment assignment, int worker) {

  /**
   * The minibatches, made as they are asked for.
   *
   * @param threads that prepare the images
   */
  Iterator<TrainingBatch> by(Steps steps, WorkerThreads threads) {
    Optional<Share> none = Optional.empty();
    List<LabelledData> labelled = data.labelled();
    if (labelled.size() > 1) {
      return new InterleavedTasks(
          labelled.stream().map(task -> of(task, share(task), none, steps, threads)).toList());
    }
    LabelledData task = labelled.get(0);
    if (!data.apart() || plan.objective() == Objective.SL) {
      return of(task, share(task), none, steps, threads);
    }
    Share others = share(data.ssl(), 1);
    return plan.objective() == Objective.SSL
        ? of(task, others, none, steps, threads)
        : of(task, share(task), Optional.of(others), steps, threads);
  }

  private TaskBatches of(
      LabelledData task, Share images, Optional<Share> others, Steps steps, WorkerThreads threads) {
    var batches =
        new WorkerBatches(
            data.config(), data.vit(task), plan, task.head().name(), images, others, threads);
    return steps == Steps.ON_DEVICE ? batches.raw() : batches.prepared();
  }

  private Share share(LabelledData task) {
    return share(task.dataset(), data.config().data().fraction());
  }

  private Share share(PreparedDataset dataset, double fraction) {
    JobConfig config = data.config();
    int workers = config.workers().count();
    Normalization normalization = dataset.manifest().normalization();
    return config.data().reshuffle()
        ? Share.assigned(
            dataset.part(Split.TRAIN, 0, 1, fraction),
            normalization,
            worker,
            workers,
            config.run().seed(),
            plan.epoch(),
            config.data().labelledFraction())
        : Share.all(
            dataset.shards(
                Split.TRAIN,
                assignment.shards(worker, workers, dataset.manifest().shards()),
                fraction),
            normalization);
  }
}
