package org.mixtraining.data.augment;

import java.util.List;
import java.util.stream.LongStream;
import org.apache.commons.math3.distribution.BetaDistribution;
import org.apache.commons.math3.random.RandomGenerator;
import org.apache.commons.math3.random.Well512a;
import org.mixtraining.config.AugmentConfig;
import org.mixtraining.schedule.Seed;

/**
 * Mixup (Zhang et al., arXiv 1710.09412) and cutmix (Yun et al., arXiv 1905.04899) of a minibatch:
 * each image and its target are mixed with those of the next image, the last with the first. Since
 * minibatches are shuffled, that is a random partner. Which of the two, and how much, depends on
 * seed, epoch and the image's id.
 *
 * @param seed the run's seed
 * @param epoch position in the run, from 0
 */
public record MixupCutmix(AugmentConfig options, long seed, int epoch) {
  /**
   * The mixture of each image of a minibatch with the next one; empty if none is mixed.
   *
   * @param ids n image ids
   */
  public List<BatchMix> draw(long[] ids, int height, int width) {
    if (options.mixup() == 0 && options.cutmix() == 0) {
      return List.of();
    }
    return LongStream.of(ids).mapToObj(id -> draw(id, height, width)).toList();
  }

  private BatchMix draw(long id, int height, int width) {
    RandomGenerator random = new Well512a(Seed.MIXUP.hash(seed, epoch, id));
    if (cuts(random)) {
      Window window = window(share(random, options.cutmix()), height, width, random);
      return BatchMix.paste(window, height * width);
    }
    return BatchMix.blend((float) share(random, options.mixup()));
  }

  /**
   * Mixes pixels and targets in place.
   *
   * @param ids n image ids
   * @param pixels [n, channels, height, width]
   * @param targets [n, classes]
   */
  public void mix(long[] ids, float[] pixels, int height, int width, float[] targets) {
    List<BatchMix> mixes = draw(ids, height, width);
    if (!mixes.isEmpty()) {
      Pairs images = new Pairs(pixels, pixels.clone(), ids.length);
      for (int n = 0; n < ids.length; n++) {
        images.blend(n, mixes.get(n).share());
        images.paste(n, mixes.get(n).window(), height, width);
      }
      mixTargets(mixes, targets);
    }
  }

  /**
   * Mixes targets in place.
   *
   * @param mixes of n images, or none
   * @param targets [n, classes]
   */
  public static void mixTargets(List<BatchMix> mixes, float[] targets) {
    Pairs labels = new Pairs(targets, targets.clone(), mixes.size());
    for (int n = 0; n < mixes.size(); n++) {
      labels.blend(n, mixes.get(n).target());
    }
  }

  /** Equally long rows of values, [n, …], and what they were before any was mixed. */
  private record Pairs(float[] values, float[] before, int n) {

    private int size() {
      return values.length / n;
    }

    /** Offset from an element of row {@code i} to the same element of its partner. */
    private int toPartner(int i) {
      return (i + 1) % n * size() - i * size();
    }

    void blend(int i, float own) {
      for (int at = i * size(); at < (i + 1) * size(); at++) {
        values[at] = own * before[at] + (1 - own) * before[at + toPartner(i)];
      }
    }

    void paste(int i, Window window, int height, int width) {
      for (int start = i * size(); start < (i + 1) * size(); start += height * width) {
        for (int y = window.top(); y < window.top() + window.height(); y++) {
          int at = start + y * width + window.left();
          System.arraycopy(before, at + toPartner(i), values, at, window.width());
        }
      }
    }
  }

  /** Whether an image is cut and pasted rather than blended. */
  private boolean cuts(RandomGenerator random) {
    return options.mixup() == 0 || options.cutmix() > 0 && random.nextBoolean();
  }

  private static double share(RandomGenerator random, double alpha) {
    return new BetaDistribution(random, alpha, alpha).sample();
  }

  /** A window of (1 − own) of the area around any pixel; what lies outside the image is cut off. */
  private static Window window(double own, int height, int width, RandomGenerator random) {
    double side = Math.sqrt(1 - own);
    int y = random.nextInt(height);
    int x = random.nextInt(width);
    int halfHeight = (int) (height * side / 2);
    int halfWidth = (int) (width * side / 2);
    int top = Math.max(0, y - halfHeight);
    int left = Math.max(0, x - halfWidth);
    int bottom = Math.min(height, y + halfHeight);
    int right = Math.min(width, x + halfWidth);
    return new Window(top, left, bottom - top, right - left);
  }
}
