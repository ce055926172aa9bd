package org.mixtraining.gpu;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Function;

/**
 * Things that are held of a device: closed in the reverse order, and all of them even where one
 * cannot be.
 */
final class Owned implements AutoCloseable {

  /** A thing to be given back. */
  @FunctionalInterface
  interface Thing extends AutoCloseable {
    @Override
    void close();
  }

  private final Deque<Thing> things = new ArrayDeque<>();

  /** What a maker makes; if it fails halfway, what it has taken until then is given back. */
  static <T> T whole(Function<Owned, T> maker) {
    Owned owned = new Owned();
    try {
      return maker.apply(owned);
    } catch (RuntimeException | Error e) {
      try (owned) {
        throw e;
      }
    }
  }

  void add(Thing thing) {
    things.push(thing);
  }

  @Override
  public void close() {
    if (!things.isEmpty()) {
      Thing others = this::close;
      Thing last = things.pop();
      try (others;
          last) {
        // The last is closed first, and the others even if it cannot be.
      }
    }
  }
}
