package org.mixtraining.formats;

import org.mixtraining.vit.ModelSpec;
import org.mixtraining.vit.state.ModelState;

/** A model's tensors as constants of an ONNX graph. */
record OnnxWeights(ModelSpec model, ModelState state, OnnxNodes graph) {

  /** A tensor as the graph's constant of the same name. */
  String constant(String name, long... shape) {
    return graph.constant(name, values(name), shape);
  }

  /** A tensor's values, row-major. */
  float[] values(String name) {
    return model.read(state, name);
  }

  /** The values of a matrix, column by column. */
  float[] transposed(String name) {
    return transposed(values(name), model.tensor(name).rows());
  }

  /** The transpose of a matrix of so many rows. */
  static float[] transposed(float[] values, int rows) {
    int cols = values.length / rows;
    float[] turned = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      turned[i % cols * rows + i / cols] = values[i];
    }
    return turned;
  }
}
