package org.mixtraining.train;

import java.io.Serializable;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.function.ToLongFunction;
import java.util.stream.IntStream;

/**
 * Accuracy and loss of predictions.
 *
 * @param classes by class index: how the images of that label fared
 */
public record Score(List<OfClass> classes) implements Serializable {

  /** Of no image. */
  public static final Score NONE = new Score(List.of());

  public Score {
    classes = List.copyOf(classes);
  }

  /**
   * The images of one label.
   *
   * @param images images evaluated
   * @param correct images whose most probable class was their label's
   * @param amongFive images whose label was among the five most probable
   * @param lossSum sum of −log of the probability given to the label
   */
  public record OfClass(long images, long correct, long amongFive, double lossSum)
      implements Serializable {
    static final OfClass NONE = new OfClass(0, 0, 0, 0);

    OfClass plus(OfClass other) {
      return new OfClass(
          images + other.images,
          correct + other.correct,
          amongFive + other.amongFive,
          lossSum + other.lossSum);
    }

    /** Share of correct images; NaN of none. */
    public double accuracy() {
      return (double) correct / images;
    }

    /** Share of images whose label was among the five most probable; NaN of none. */
    public double topFive() {
      return (double) amongFive / images;
    }

    /** Mean cross-entropy in nats; NaN of none. */
    public double loss() {
      return lossSum / images;
    }
  }

  public Score plus(Score other) {
    return new Score(
        IntStream.range(0, Math.max(classes.size(), other.classes.size()))
            .mapToObj(c -> of(c).plus(other.of(c)))
            .toList());
  }

  private OfClass of(int label) {
    return label < classes.size() ? classes.get(label) : OfClass.NONE;
  }

  public long images() {
    return count(OfClass::images);
  }

  /** Share of correct images; NaN of none. */
  public double accuracy() {
    return (double) count(OfClass::correct) / images();
  }

  /** Share of images whose label was among the five most probable; NaN of none. */
  public double topFive() {
    return (double) count(OfClass::amongFive) / images();
  }

  /** Mean cross-entropy in nats; NaN of none. */
  public double loss() {
    return sum(OfClass::lossSum) / images();
  }

  private long count(ToLongFunction<OfClass> what) {
    return classes.stream().mapToLong(what).sum();
  }

  private double sum(ToDoubleFunction<OfClass> what) {
    return classes.stream().mapToDouble(what).sum();
  }
}
