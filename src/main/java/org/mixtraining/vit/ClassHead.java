package org.mixtraining.vit;

import java.util.List;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.mixtraining.schedule.EncoderInput;
import org.mixtraining.vit.layers.ClassHeadLayer;
import org.mixtraining.vit.layers.TokenLayer;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * A classification head: pools each image's tokens and maps the feature vector to class scores; the
 * loss is the cross-entropy of their softmax.
 *
 * <p>Input [rows, dim]; labels [images, classes], each row a distribution, or all zero for an image
 * without a label, which then does not count. Output: class probabilities, [images, classes].
 */
public final class ClassHead extends ViTLayer {
  private static final long serialVersionUID = 1L;

  private int classes;
  private double share;

  /** For Jackson. */
  ClassHead() {}

  ClassHead(Head head, ViT vit, EncoderInput encoderInput) {
    super(head.name(), vit, encoderInput);
    this.classes = head.classes();
    this.share = head.weight();
  }

  public int classes() {
    return classes;
  }

  @Override
  List<Head> tasks() {
    return List.of(new Head(getLayerName(), classes, share));
  }

  /** Factor on this task's loss among those of other tasks. */
  public double share() {
    return share;
  }

  @Override
  TokenLayer<?> instantiate(NeuralNetConfiguration conf, DataType dataType) {
    return new ClassHeadLayer(conf, dataType);
  }
}
