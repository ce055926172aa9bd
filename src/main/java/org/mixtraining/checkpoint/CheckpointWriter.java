package org.mixtraining.checkpoint;

import java.util.SortedMap;
import org.mixtraining.config.JobConfig;
import org.mixtraining.results.RunRow.Progress;
import org.mixtraining.run.EpochOutcome;

/** Saves checkpoints when they are due, and the best model when it improves. */
public final class CheckpointWriter {

  private final Checkpoints checkpoints;
  private final JobConfig config;
  private final SortedMap<String, String> provenance;
  private Checkpoint unsaved;

  /**
   * @param provenance kept in every checkpoint
   */
  public CheckpointWriter(
      Checkpoints checkpoints, JobConfig config, SortedMap<String, String> provenance) {
    this.checkpoints = checkpoints;
    this.config = config;
    this.provenance = provenance;
  }

  /** Saves a finished epoch, whose rows have been written, if a checkpoint is due. */
  public void accept(EpochOutcome outcome, Progress progress) {
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
