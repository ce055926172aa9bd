package org.mixtraining.run;

import java.util.function.LongSupplier;
import org.mixtraining.config.JobConfig;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.schedule.MixSchedule;

/**
 * The loop over a run's epochs: plan, train, score, write, next.
 *
 * @param trainer trains an epoch
 * @param evaluator scores the model after it, if that is due
 * @param sink takes the outcome
 * @param clock nanoseconds of a clock that does not go back
 */
public record TrainingLoop(
    JobConfig config,
    EpochTrainer trainer,
    Evaluator evaluator,
    EpochSink sink,
    LongSupplier clock) {

  /**
   * Trains the epochs that are not behind a state yet: all of the schedule's, unless early stopping
   * ends the run before.
   *
   * @param from where to begin
   * @return where the run ends
   */
  public RunState run(RunState from) {
    RunState state = from;
    while (!state.isLast(config)) {
      final long start = clock.getAsLong();
      MixSchedule schedule = state.schedule(config);
      EpochPlan plan = schedule.epochs().get(state.epochs());

      RunState before = state.facing(schedule.epochs());
      EpochResult trained = trainer.train(plan, before);
      RunState after = before.after(trained, config);
      final double trainingSeconds = secondsSince(start);

      EpochScores scores =
          schedule.scores(plan, config.evaluation().every())
              ? evaluator.score(plan, after.model())
              : EpochScores.NONE;
      state = after.scored(plan, scores.validation(), config);

      EpochOutcome outcome =
          new EpochOutcome(
              plan,
              state,
              trained.workers(),
              trained.rounds(),
              trained.syncBytes(),
              scores,
              trainingSeconds,
              secondsSince(start));
      sink.write(outcome);
    }
    return state;
  }

  private double secondsSince(long start) {
    return (clock.getAsLong() - start) / 1e9;
  }
}
