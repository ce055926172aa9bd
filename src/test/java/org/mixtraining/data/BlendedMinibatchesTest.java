package org.mixtraining.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import org.junit.jupiter.api.Test;

class BlendedMinibatchesTest {

  /** Images of two pixels: id and −id. */
  private static Iterator<Minibatch> pass(int batchSize, long... ids) {
    var batches = new ArrayList<Minibatch>();
    for (int from = 0; from < ids.length; from += batchSize) {
      long[] own = Arrays.copyOfRange(ids, from, Math.min(from + batchSize, ids.length));
      var labels = new int[own.length];
      var pixels = new float[2 * own.length];
      for (int n = 0; n < own.length; n++) {
        labels[n] = (int) own[n] % 3;
        pixels[2 * n] = own[n];
        pixels[2 * n + 1] = -own[n];
      }
      batches.add(new Minibatch(own, labels, pixels, 1, 1, 2));
    }
    return batches.iterator();
  }

  private static List<Minibatch> blended(double lambda, Iterator<Minibatch> images, long... other) {
    var batches = new ArrayList<Minibatch>();
    new BlendedMinibatches(images, number -> pass(2, other), lambda).forEachRemaining(batches::add);
    return batches;
  }

  @Test
  void pixelsAreMixedImageByImageAndLabelsKept() {
    List<Minibatch> batches = blended(0.25, pass(3, 4, 8, 12, 16), 100, 200, 300, 400, 500);

    assertThat(batches).hasSize(2);
    assertThat(batches.get(0).pixels()).containsExactly(76, -76, 152, -152, 228, -228);
    assertThat(batches.get(0).ids()).containsExactly(4, 8, 12);
    assertThat(batches.get(0).labels()).containsExactly(1, 2, 0);
    assertThat(batches.get(1).pixels()).containsExactly(304, -304);
  }

  @Test
  void aShorterDatasetBeginsAgain() {
    List<Minibatch> batches = blended(0, pass(4, 1, 2, 3, 4), 10, 20, 30);

    assertThat(batches.get(0).pixels()).containsExactly(10, -10, 20, -20, 30, -30, 10, -10);
  }

  @Test
  void aShareOfOneLeavesTheImagesAsTheyAre() {
    assertThat(blended(1, pass(4, 1, 2), 10).get(0).pixels()).containsExactly(1, -1, 2, -2);
  }
}
