package org.mixtraining.data.sources;

import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.mixtraining.config.UserException;

/**
 * Labels that are written as text: if all are whole numbers, they are those of classes from 0 to
 * the largest; else names of classes, in their own order.
 *
 * @param classes class names by class index
 */
record TextLabels(boolean numbered, List<String> classes) {

  /**
   * The classes of some labels.
   *
   * @param source that has them, for messages
   * @throws UserException if there is none, or too large a number
   */
  static TextLabels of(String source, Stream<String> labels) {
    var names = labels.map(Source::className).distinct().sorted().toList();
    boolean numbered = names.stream().allMatch(name -> name.matches("0|[1-9]\\d{0,8}"));
    int count =
        numbered ? names.stream().mapToInt(Integer::parseInt).max().orElse(-1) + 1 : names.size();
    if (count < 1 || count > ParquetTable.MOST_CLASSES) {
      throw new UserException(
          "mixtraining.data.source: the labels of %s are of %s classes; allowed: 1 to %s"
              .formatted(source, count, ParquetTable.MOST_CLASSES));
    }
    return new TextLabels(
        numbered,
        numbered ? IntStream.range(0, count).mapToObj(Integer::toString).toList() : names);
  }

  /**
   * The class index of a label.
   *
   * @param label one of those that this was made of, or null
   * @param none what to return for null
   */
  int index(String label, int none) {
    if (label == null) {
      return none;
    }
    var name = Source.className(label);
    return numbered ? Integer.parseInt(name) : Collections.binarySearch(classes, name);
  }
}
