package org.mixtraining.train;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.stream.IntStream;

/**
 * A worker's minibatches of one epoch on several tasks. Each minibatch holds images of one task;
 * the tasks take turns in proportion to their minibatches, evenly over the epoch. A turn for which
 * the worker has no images left is left out.
 */
public final class InterleavedTasks implements EpochIterator {

  private final List<TaskBatches> tasks;
  private final List<Integer> turns;
  private int step;

  /**
   * The minibatches from one on.
   *
   * @param tasks each from its own first minibatch on, by {@link #begun}
   * @param from number of the first
   */
  public InterleavedTasks(List<TaskBatches> tasks, int from) {
    this.tasks = List.copyOf(tasks);
    this.turns = turns(tasks.stream().map(TaskBatches::steps).toList());
    this.step = from;
    pass();
  }

  /**
   * Minibatches of each task before a step.
   *
   * @param steps minibatches of each in the epoch
   */
  public static List<Integer> begun(List<Integer> steps, int step) {
    List<Integer> before = turns(steps).subList(0, step);
    return IntStream.range(0, steps.size())
        .mapToObj(task -> Collections.frequency(before, task))
        .toList();
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

  private void pass() {
    while (hasNext() && !tasks.get(turns.get(step)).hasNext()) {
      step++;
    }
  }

  @Override
  public int step() {
    return step;
  }

  @Override
  public boolean hasNext() {
    return step < turns.size();
  }

  @Override
  public TrainingBatch next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    TrainingBatch own = tasks.get(turns.get(step)).next();
    TrainingBatch batch = own.at(new TrainingBatch.Position(step, turns.size()));
    step++;
    pass();
    return batch;
  }
}
