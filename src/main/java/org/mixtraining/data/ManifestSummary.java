package org.mixtraining.data;

import java.util.Locale;
import java.util.function.ToLongFunction;
import org.mixtraining.data.DatasetManifest.Contents;

/** The text of a {@link DatasetManifest} for a person. */
final class ManifestSummary {

  /** Classes that are told apart. */
  private static final int SHOWN = 200;

  private ManifestSummary() {}

  static String of(DatasetManifest m) {
    var text = new StringBuilder();
    text.append(
        String.format(
            Locale.ROOT,
            "%s by %s: %d classes, %d x %d x %d, %d shards a split, %.1f MB\n",
            m.format(),
            m.label(),
            m.classCount(),
            m.channels(),
            m.height(),
            m.width(),
            m.shards(),
            m.bytes() / 1e6));
    text.append("%-20s %10s %10s %10s\n".formatted("class", "train", "validation", "test"));
    for (int c = 0; c < Math.min(SHOWN, m.classCount()); c++) {
      int label = c;
      text.append(row(m, m.classes().get(c), split -> split.histogram().get(label)));
    }
    if (m.classCount() > SHOWN) {
      text.append(
          "… and %s classes more, in %s\n".formatted(m.classCount() - SHOWN, DatasetManifest.FILE));
    }
    if (m.splits().values().stream().anyMatch(split -> split.unlabelled() > 0)) {
      text.append(row(m, "without a label", Contents::unlabelled));
    }
    text.append(row(m, "all", Contents::images));
    if (m.quarantined() > 0) {
      text.append("quarantined %s images, listed in quarantine/\n".formatted(m.quarantined()));
    }
    m.notes().forEach(note -> text.append(note.line()).append('\n'));
    return text.append("fingerprint ").append(m.fingerprint()).toString();
  }

  private static String row(DatasetManifest m, String title, ToLongFunction<Contents> count) {
    return String.format(
        Locale.ROOT,
        "%-20s %10d %10d %10d\n",
        title,
        count.applyAsLong(m.splits().get(Split.TRAIN)),
        count.applyAsLong(m.splits().get(Split.VALIDATION)),
        count.applyAsLong(m.splits().get(Split.TEST)));
  }
}
