package org.mixtraining.run;

import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.mixtraining.config.JobConfig;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.schedule.MixSchedule;
import org.mixtraining.schedule.Objective;
import org.mixtraining.schedule.Patience;
import org.mixtraining.train.Scores;
import org.mixtraining.vit.ViTGraph;
import org.mixtraining.vit.state.ModelState;
import org.mixtraining.vit.state.ModelState.Block;

/**
 * The state of a run between two epochs: with configuration and data, all that the epochs to come
 * depend on. A run that goes on from here ends with the bits of one that was never stopped.
 *
 * <p>AdamW's moments and step counts belong to an objective: those in a block of the model are of
 * the objective that trained it last, and an objective that trains it next takes up its own, or
 * begins with none. Losses differ in scale and objectives in β2, so steps by the moments of another
 * would be of another length than the learning rate says, for as long as β2 remembers. MAE's
 * fine-tuning begins with a new optimizer too (arXiv 2111.06377).
 *
 * @param epochs epochs behind it, so the position of the next one in the schedule
 * @param model the averaged model
 * @param resting moments and step counts, in blocks without parameters, by the objective that left
 *     them and will take them up again; none where the schedule returns to no objective
 * @param averaging what the averaging itself carries from epoch to epoch, as blocks without
 *     moments: the velocities of {@link OuterStep}; none where the plain average is taken
 * @param patience how long it has waited for a better model
 * @param assignment which workers train on which shards in the next epoch
 */
public record RunState(
    int epochs,
    ModelState model,
    SortedMap<Objective, ModelState> resting,
    ModelState averaging,
    Patience patience,
    ShardAssignment assignment) {

  private static final float[] NONE = {};

  public RunState {
    resting = Collections.unmodifiableSortedMap(new TreeMap<>(resting));
  }

  /** Before the first epoch. */
  public static RunState initial(ModelState model) {
    return new RunState(
        0,
        model,
        Collections.emptySortedMap(),
        new ModelState(Map.of()),
        Patience.FRESH,
        ShardAssignment.EQUAL);
  }

  /** The same with another model. */
  public RunState with(ModelState other) {
    return new RunState(epochs, other, resting, averaging, patience, assignment);
  }

  /**
   * The same with the moments that its next epoch's objective trains by.
   *
   * @param schedule all epochs of the run, of which one follows
   */
  RunState facing(List<EpochPlan> schedule) {
    List<Objective> objectives = schedule.stream().map(EpochPlan::objective).toList();
    List<Objective> behind = objectives.subList(0, epochs);
    List<Objective> ahead = objectives.subList(epochs, objectives.size());
    Objective next = ahead.get(0);
    ModelState own = resting.getOrDefault(next, new ModelState(Map.of()));
    SortedMap<Objective, ModelState> left = new TreeMap<>(resting);
    left.remove(next); // all of it is taken up
    Map<String, Block> taken = new HashMap<>();
    for (Map.Entry<String, Block> entry : model.blocks().entrySet()) {
      String name = entry.getKey();
      Block block = entry.getValue();
      Objective last = last(behind, name);
      if (last == null || last == next || !ViTGraph.trains(next, name)) {
        continue;
      }
      if (ahead.contains(last)) {
        Block moments = new Block(NONE, block.m(), block.v(), block.steps());
        left.merge(last, new ModelState(Map.of(name, moments)), ModelState::with);
      }
      taken.put(name, with(block, own.blocks().get(name)));
    }
    return new RunState(
        epochs, model.with(new ModelState(taken)), left, averaging, patience, assignment);
  }

  /** The objective that trained a block last; null if none has. */
  private static Objective last(List<Objective> behind, String block) {
    for (int i = behind.size() - 1; i >= 0; i--) {
      if (ViTGraph.trains(behind.get(i), block)) {
        return behind.get(i);
      }
    }
    return null;
  }

  private static Block with(Block block, Block moments) {
    float[] parameters = block.parameters();
    if (moments == null) {
      float[] zeros = new float[parameters.length];
      return new Block(parameters, zeros, zeros, 0);
    }
    return new Block(parameters, moments.m(), moments.v(), moments.steps());
  }

  /**
   * After an epoch that was trained from here: the model goes by {@link OuterStep} towards the
   * workers' average.
   */
  RunState after(EpochResult trained, JobConfig config) {
    OuterStep step = OuterStep.of(config.averaging(), model, trained.average(), averaging);
    return new RunState(
        epochs + 1, step.model(), resting, step.velocity(), patience, trained.assignment());
  }

  /**
   * The same after its model was scored, or was not: a run waits for a better validation accuracy
   * in its last phase only.
   *
   * @param plan the last epoch behind it
   * @param validation of no image where the model was not scored
   */
  RunState scored(EpochPlan plan, Scores validation, JobConfig config) {
    List<EpochPlan> all = MixSchedule.of(config).epochs();
    boolean last = plan.phase() == all.get(all.size() - 1).phase();
    if (!last || plan.objective() == Objective.SSL) {
      return this;
    }
    Patience waited =
        validation.images() == 0
            ? patience.unscored()
            : patience.scored(validation.accuracy(), epochs, config.earlyStopping().patience());
    return new RunState(epochs, model, resting, averaging, waited, assignment);
  }

  /** The plan of its run, as far as it is known here. */
  MixSchedule schedule(JobConfig config) {
    return MixSchedule.of(config).endedBy(patience, config);
  }

  /** Whether no epoch follows in a run of this configuration. */
  public boolean isLast(JobConfig config) {
    return epochs >= schedule(config).epochs().size();
  }
}
