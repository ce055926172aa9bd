package org.mixtraining.tracking;

import org.mixtraining.results.RunObserver;

/** An observer with something to put away in the end. */
interface Tracker extends RunObserver, AutoCloseable {
  @Override
  void close();
}
