package org.mixtraining.train;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import org.mixtraining.schedule.Objective;
import org.mixtraining.vit.Batch;
import org.mixtraining.vit.Head;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/**
 * A worker's minibatches of one epoch on several tasks. Each minibatch holds images of one task;
 * the tasks take turns in proportion to their minibatches, evenly over the epoch.
 */
public final class InterleavedTasks implements Iterator<MultiDataSet> {

  private final Objective objective;
  private final List<Head> heads;
  private final List<TaskBatches> tasks;
  private final List<Integer> turns;
  private int step;

  /**
   * @param heads of all tasks
   * @param tasks the minibatches of each task, in the same order
   */
  public InterleavedTasks(
      Objective objective, List<Head> heads, List<? extends TaskBatches> tasks) {
    this.objective = objective;
    this.heads = List.copyOf(heads);
    this.tasks = List.copyOf(tasks);
    this.turns = turns(tasks.stream().map(TaskBatches::steps).toList());
  }

  /**
   * The task of each step: the k-th of a task's n minibatches is due at (k + ½) / n of the epoch,
   * the first task's first.
   */
  static List<Integer> turns(List<Integer> steps) {
    record Turn(int task, double due) {}
    List<Turn> turns = new ArrayList<>();
    for (int task = 0; task < steps.size(); task++) {
      for (int k = 0; k < steps.get(task); k++) {
        turns.add(new Turn(task, (k + 0.5) / steps.get(task)));
      }
    }
    turns.sort(Comparator.comparingDouble(Turn::due)); // stable
    return turns.stream().map(Turn::task).toList();
  }

  @Override
  public boolean hasNext() {
    return step < turns.size();
  }

  @Override
  public MultiDataSet next() {
    int task = turns.get(step);
    Head own = heads.get(task);
    MultiDataSet batch = tasks.get(task).next();
    List<Long> ids = Batch.Position.of(batch).ids();
    if (objective != Objective.SSL) {
      batch = Batch.among(heads, own, batch);
    }
    new Batch.Position(step++, turns.size(), own.name(), ids).mark(batch);
    return batch;
  }
}
