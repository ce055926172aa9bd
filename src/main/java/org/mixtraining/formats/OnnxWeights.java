package org.mixtraining.formats;

import org.mixtraining.vit.ModelSpec;
import org.mixtraining.vit.Tensor;
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
    Tensor tensor = model.tensor(name);
    float[] values = values(name);
    float[] turned = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      turned[i % tensor.cols() * tensor.rows() + i / tensor.cols()] = values[i];
    }
    return turned;
  }
}
