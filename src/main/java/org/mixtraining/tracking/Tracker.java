package org.mixtraining.tracking;

import java.util.function.Supplier;
import org.mixtraining.formats.TrainedModel;
import org.mixtraining.results.RunObserver;

/** An observer that holds resources. */
interface Tracker extends RunObserver, AutoCloseable {

  /** Takes the model of a run that is finished; it is read when it is asked for. */
  default void model(Supplier<TrainedModel> model) {}

  @Override
  void close();
}
