package org.mixtraining.schedule;

import java.io.Serializable;
import java.util.function.DoubleToLongFunction;

/**
 * The part of a set of images that an epoch visits where it does not visit them all. Images lie on
 * a ring by their quantiles, and each epoch takes the arc that begins where the one before it
 * ended, so in the long run each is visited as often as any other.
 *
 * @param from where it begins, in [0, 1)
 * @param share its length, in [0, 1]
 */
public record Slice(double from, double share) implements Serializable {
  /** The whole set. */
  public static final Slice ALL = new Slice(0, 1);

  /** None of the set; the first one begins after it. */
  static final Slice NONE = new Slice(0, 0);

  /** The one that begins where this ends. */
  Slice next(double share) {
    return new Slice((from + this.share) % 1, share);
  }

  /**
   * How many of the images with a quantile within [low, high) it has.
   *
   * @param below number of images with a quantile below a bound
   */
  public long images(DoubleToLongFunction below, double low, double high) {
    double to = from + share;
    if (share == 1) {
      return between(below, low, high, 0, 1);
    }
    return between(below, low, high, from, Math.min(to, 1))
        + between(below, low, high, 0, Math.max(to - 1, 0));
  }

  /** Whether it has an image with that quantile, of those within [low, high). */
  public boolean has(double quantile, double low, double high) {
    return images(bound -> quantile < bound ? 1 : 0, low, high) > 0;
  }

  private static long between(
      DoubleToLongFunction below, double low, double high, double from, double to) {
    return from < to
        ? below.applyAsLong(at(low, high, to)) - below.applyAsLong(at(low, high, from))
        : 0;
  }

  private static double at(double low, double high, double place) {
    return place == 1 ? high : low + place * (high - low);
  }
}
