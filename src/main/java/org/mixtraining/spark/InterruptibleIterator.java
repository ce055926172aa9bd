package org.mixtraining.spark;

import java.util.Iterator;
import org.apache.spark.TaskContext;

/**
 * An iterator over a task's minibatches that ends once Spark has killed the task: a cancelled
 * worker stops within a step, though Spark interrupts no thread.
 */
final class InterruptibleIterator<T> implements Iterator<T> {
  private final TaskContext task = TaskContext.get();
  private final Iterator<T> items;

  /** Of the running task. */
  InterruptibleIterator(Iterator<T> items) {
    this.items = items;
  }

  @Override
  public boolean hasNext() {
    if (task != null) { // as it is on the driver, where Spark computes on a few rows
      task.killTaskIfInterrupted();
    }
    return items.hasNext();
  }

  @Override
  public T next() {
    return items.next();
  }
}
