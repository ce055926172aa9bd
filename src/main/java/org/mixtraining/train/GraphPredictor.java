package org.mixtraining.train;

import org.mixtraining.vit.Replica;
import org.mixtraining.vit.layers.Compute;
import org.mixtraining.vit.state.ModelState;

/** Predictions by the graph itself. */
record GraphPredictor(Replica replica) implements Predictor {

  @Override
  public void load(ModelState model) {
    replica.loadParameters(model);
  }

  @Override
  public float[] predict(String head, float[] pixels, int images, int size) {
    Compute.require();
    return replica.predict(head, pixels, images, size);
  }

  @Override
  public float[] features(float[] pixels, int images, int size) {
    Compute.require();
    return replica.features(pixels, images, size);
  }

  @Override
  public float[] patches(float[] pixels, float[] mask, int images, int size) {
    Compute.require();
    return replica.patches(pixels, mask, images, size);
  }
}
