package org.mixtraining.checkpoint;

import java.util.SortedMap;
import java.util.function.Supplier;
import org.mixtraining.config.JobConfig;
import org.mixtraining.results.RunRow.Progress;
import org.mixtraining.run.EpochOutcome;
import org.mixtraining.run.EpochSink;

/** Saves checkpoints when they are due, and the best model when it improves. */
public final class CheckpointWriter implements EpochSink {

  private final Checkpoints checkpoints;
  private final JobConfig config;
  private final SortedMap<String, String> provenance;
  private final Supplier<Progress> recorded;
  private Checkpoint unsaved;

  /**
   * @param provenance kept in every checkpoint
   * @param recorded the progress that the tables have
   */
  public CheckpointWriter(
      Checkpoints checkpoints,
      JobConfig config,
      SortedMap<String, String> provenance,
      Supplier<Progress> recorded) {
    this.checkpoints = checkpoints;
    this.config = config;
    this.provenance = provenance;
    this.recorded = recorded;
  }

  /** Saves a finished epoch, whose rows have been written, if a checkpoint is due. */
  @Override
  public void write(EpochOutcome outcome) {
    Progress progress = recorded.get();
    Checkpoint checkpoint =
        new Checkpoint(outcome.state(), progress, config.canonical(), provenance);
    int epochs = outcome.state().epochs();
    if (progress.bestEpoch() != null && progress.bestEpoch() == epochs) {
      checkpoints.save(checkpoint, Checkpoints.Model.BEST);
    }
    boolean last = outcome.state().isLast(config);
    if (last) {
      checkpoints.save(checkpoint, Checkpoints.Model.FINAL);
    }
    // Last: a run that resumes from it will not save the models of this epoch again.
    unsaved = checkpoint;
    if (last || epochs % config.checkpoint().every() == 0) {
      flush();
    }
  }

  /** Saves the last finished epoch though no checkpoint is due. */
  public void flush() {
    if (unsaved != null) {
      checkpoints.save(unsaved, config.checkpoint().keep());
      unsaved = null;
    }
  }
}
