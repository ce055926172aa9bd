package org.mixtraining.data;

import java.util.List;
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
    List<String> shown = m.classes().subList(0, Math.min(SHOWN, m.classCount()));
    int widest = Math.max(20, shown.stream().mapToInt(String::length).max().orElse(0));
    String titles = "%-" + widest + "s";
    text.append(titles.formatted("class"));
    text.append(" %10s %10s %10s\n".formatted("train", "validation", "test"));
    for (int c = 0; c < shown.size(); c++) {
      int label = c;
      text.append(titles.formatted(shown.get(c)));
      text.append(counts(m, split -> split.histogram().get(label)));
    }
    if (m.classCount() > SHOWN) {
      text.append(
          "… and %s classes more, in %s\n".formatted(m.classCount() - SHOWN, DatasetManifest.FILE));
    }
    if (m.splits().values().stream().anyMatch(split -> split.unlabelled() > 0)) {
      text.append(titles.formatted("without a label")).append(counts(m, Contents::unlabelled));
    }
    text.append(titles.formatted("all")).append(counts(m, Contents::images));
    if (m.quarantined() > 0) {
      text.append("quarantined %s images, listed in quarantine/\n".formatted(m.quarantined()));
    }
    m.notes().forEach(note -> text.append(note.line()).append('\n'));
    return text.append("fingerprint ").append(m.fingerprint()).toString();
  }

  private static String counts(DatasetManifest m, ToLongFunction<Contents> count) {
    return String.format(
        Locale.ROOT,
        " %10d %10d %10d\n",
        count.applyAsLong(m.splits().get(Split.TRAIN)),
        count.applyAsLong(m.splits().get(Split.VALIDATION)),
        count.applyAsLong(m.splits().get(Split.TEST)));
  }
}
