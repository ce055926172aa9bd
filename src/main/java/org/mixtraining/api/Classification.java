package org.mixtraining.api;

import java.util.List;

/**
 * A model's prediction for an image.
 *
 * @param predicted the most probable class, index from 0
 * @param name its name
 * @param probability its probability, 0 to 1
 * @param probabilities of every class, by index
 */
public record Classification(
    int predicted, String name, float probability, List<Float> probabilities) {
  public Classification {
    probabilities = List.copyOf(probabilities);
  }
}
