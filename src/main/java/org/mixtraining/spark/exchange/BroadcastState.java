package org.mixtraining.spark.exchange;

import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.mixtraining.vit.state.ModelState;

/** A state that the driver has, and broadcasts to the tasks once there are some. */
final class BroadcastState implements StateExchange.Held {
  private final JavaSparkContext spark;
  private final ModelState state;
  private Broadcast<ModelState> broadcast;

  BroadcastState(JavaSparkContext spark, ModelState state) {
    this.spark = spark;
    this.state = state;
  }

  @Override
  public StateExchange.Reader reader() {
    if (broadcast == null) {
      broadcast = spark.broadcast(state);
    }
    Broadcast<ModelState> sent = broadcast;
    return sent::value;
  }

  @Override
  public ModelState state() {
    return state;
  }

  @Override
  public void release() {
    if (broadcast != null) {
      broadcast.destroy();
      broadcast = null;
    }
  }
}
