package org.mixtraining.vit;

import java.util.List;
import org.mixtraining.kernels.Matrix;
import org.mixtraining.vit.layers.TokenLayer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/**
 * The values of a minibatch of {@link Batch}.
 *
 * @param size height and width of the images
 * @param pixels [images, channels, size, size]; null if they come as they are stored
 * @param mask [images, patches], 1 at each visible patch; null in SL and with stored images
 * @param stored null if they come prepared
 * @param targets [images, classes] of the task's head; null in SSL
 * @param head the one that takes part; null in SSL
 */
public record Examples(
    Batch.Position position,
    int images,
    int size,
    float[] pixels,
    float[] mask,
    StoredImages stored,
    float[] targets,
    Head head) {

  /** The values of a minibatch for a graph with the given heads. */
  public static Examples of(MultiDataSet minibatch, GraphSpec graph) {
    Batch.Position position = Batch.Position.of(minibatch);
    List<Head> heads = graph.heads();
    Head head = null;
    float[] targets = null;
    if (!heads.isEmpty()) {
      int own = 0;
      while (heads.size() > 1 && !heads.get(own).name().equals(position.head())) {
        own++;
      }
      head = heads.get(own);
      targets = values(minibatch.getLabels(minibatch.getLabels().length - heads.size() + own));
    }
    INDArray pixels = minibatch.getFeatures(0);
    INDArray mask =
        minibatch.getFeaturesMaskArrays() == null ? null : minibatch.getFeaturesMaskArray(0);
    StoredImages stored = StoredImages.of(minibatch).orElse(null);
    return new Examples(
        position,
        (int) pixels.size(0),
        StoredImages.size(minibatch),
        stored == null ? values(pixels) : null,
        mask == null ? null : values(mask),
        stored,
        targets,
        head);
  }

  private static float[] values(INDArray array) {
    Matrix view = TokenLayer.view(array);
    float[] values = new float[view.rows() * view.cols()];
    view.read(values, 0);
    return values;
  }

  /** Images with a label. */
  public int labelled() {
    int labelled = 0;
    for (int i = 0; targets != null && i < images; i++) {
      int classes = targets.length / images;
      for (int c = 0; c < classes; c++) {
        if (targets[i * classes + c] > 0) {
          labelled++;
          break;
        }
      }
    }
    return labelled;
  }
}
