package org.mixtraining.vit;

import java.util.List;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * A classification head: pools each image's tokens and maps the feature vector to class scores; the
 * loss is the cross-entropy of their softmax.
 *
 * <p>Input [rows, dim]; labels [images, classes], each row a distribution, or all zero for an image
 * without a label, which then does not count. Output: class probabilities, [images, classes].
 */
public final class ClassHead extends Loss {
  private static final long serialVersionUID = 1L;

  /** For Jackson. */
  ClassHead() {}

  ClassHead(String name, ViT vit, Sight sight) {
    super(name, vit, sight);
  }

  @Override
  List<Tensor> tensors() {
    return List.of(
        Tensor.weight("weight", vit().dim(), vit().classes()),
        Tensor.vector("bias", vit().classes(), Tensor.Init.ZERO));
  }

  @Override
  TokenLayer<?> instantiate(NeuralNetConfiguration conf, DataType dataType) {
    return new ClassHeadLayer(conf, dataType);
  }
}
