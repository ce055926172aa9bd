package org.mixtraining.spark;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.function.Function;

/**
 * An iterator over the answers to a task's questions, which are asked a minibatch at a time when an
 * answer is wanted. Like {@link InterruptibleIterator}, it ends once Spark has killed the task.
 */
public final class ByBatches<Q, A> implements Iterator<A> {
  /** Images of a minibatch: more are hardly faster on a CPU, and take more memory. */
  public static final int IMAGES = 64;

  private final Iterator<Q> questions;
  private final int size;
  private final Function<List<Q>, List<A>> answers;
  private Iterator<A> ready = Collections.emptyIterator();

  /**
   * @param size most questions of a minibatch
   * @param answers to a minibatch; it may leave some unanswered
   */
  public ByBatches(Iterator<Q> questions, int size, Function<List<Q>, List<A>> answers) {
    this.questions = new InterruptibleIterator<>(questions);
    this.size = size;
    this.answers = answers;
  }

  @Override
  public boolean hasNext() {
    while (!ready.hasNext() && questions.hasNext()) {
      List<Q> batch = new ArrayList<>();
      while (batch.size() < size && questions.hasNext()) {
        batch.add(questions.next());
      }
      ready = answers.apply(batch).iterator();
    }
    return ready.hasNext();
  }

  @Override
  public A next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    return ready.next();
  }
}
