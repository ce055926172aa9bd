package org.mixtraining.tracking;

import org.mixtraining.results.RunObserver;

/** An observer that holds resources. */
interface Tracker extends RunObserver, AutoCloseable {
  @Override
  void close();
}
