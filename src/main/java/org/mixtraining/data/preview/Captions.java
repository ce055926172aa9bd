package org.mixtraining.data.preview;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import org.mixtraining.config.AugmentConfig;
import org.mixtraining.config.Decimals;
import org.mixtraining.data.DatasetManifest;

/** The words on a {@link Preview}: options of the augmentation, and classes with their shares. */
final class Captions {

  private Captions() {}

  /** The classes of a target, with their shares if there are several. */
  static List<String> names(float[] target, DatasetManifest manifest) {
    var classes =
        IntStream.range(0, target.length)
            .boxed()
            .filter(c -> target[c] >= 0.005)
            .sorted(Comparator.comparingDouble(c -> -target[c]))
            .toList();
    return classes.stream()
        .map(
            c ->
                (classes.size() == 1 ? "" : percent(target[c]) + " % ") + manifest.classes().get(c))
        .toList();
  }

  static String options(AugmentConfig.Images options) {
    var parts = new ArrayList<String>();
    var crop = options.randomResizedCrop();
    if (crop.scale().low() < 1) {
      parts.add(
          "random-resized-crop %s to %s"
              .formatted(Decimals.plain(crop.scale().low()), Decimals.plain(crop.scale().high())));
    }
    if (options.cropPadding() > 0) {
      parts.add("crop-padding " + options.cropPadding());
    }
    if (options.flip()) {
      parts.add("flip");
    }
    var rand = options.randAugment();
    if (rand.ops() > 0) {
      parts.add("rand-augment %s x %s".formatted(rand.ops(), Decimals.plain(rand.magnitude())));
    }
    if (options.randomErasing() > 0) {
      parts.add("random-erasing " + Decimals.plain(options.randomErasing()));
    }
    return parts.isEmpty() ? "as they are" : String.join(", ", parts);
  }

  static String mixing(AugmentConfig augment) {
    return (augment.mixup() > 0 ? ", mixup " + Decimals.plain(augment.mixup()) : "")
        + (augment.cutmix() > 0 ? ", cutmix " + Decimals.plain(augment.cutmix()) : "");
  }

  static String percent(double share) {
    return String.format(Locale.ROOT, "%.0f", 100 * share);
  }
}
