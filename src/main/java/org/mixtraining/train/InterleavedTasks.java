package org.mixtraining.train;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;

/**
 * A worker's minibatches of one epoch on several tasks. Each minibatch holds images of one task;
 * the tasks take turns in proportion to their minibatches, evenly over the epoch.
 */
public final class InterleavedTasks implements Iterator<TrainingBatch> {

  private final List<TaskBatches> tasks;
  private final List<Integer> turns;
  private int step;

  /** The minibatches of each task. */
  public InterleavedTasks(List<TaskBatches> tasks) {
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
  public TrainingBatch next() {
    TrainingBatch own = tasks.get(turns.get(step)).next();
    return own.at(new TrainingBatch.Position(step++, turns.size()));
  }
}
