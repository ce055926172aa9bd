package org.mixtraining.data;

import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import java.util.function.LongUnaryOperator;
import java.util.stream.IntStream;

/**
 * The order in which a pass takes images: the row groups in an order of their own, a window of them
 * at a time, and the images of a window all mixed. A window of all row groups mixes all images.
 *
 * @param key of an image's id, by which images are sorted; row groups by that of their first image
 */
record Windows(ImageSet images, LongUnaryOperator key) {

  private record Place(int window, long key, int image) {}

  private record First(int group, long key) {}

  /** The order of some images. */
  int[] order(int[] some) {
    return order(some, images.window());
  }

  /**
   * The same where others are taken side by side with them, and have their part of the window.
   *
   * @param some in the order in which they would be taken among the others
   */
  int[] order(int[] some, int[] others) {
    if (groups(IntStream.concat(IntStream.of(some), IntStream.of(others))) <= images.window()) {
      return some;
    }
    long own = groups(IntStream.of(some));
    long both = own + groups(IntStream.of(others));
    return order(some, (int) ((images.window() * own + both - 1) / both));
  }

  private long groups(IntStream some) {
    return some.map(images::group).distinct().count();
  }

  private int[] order(int[] some, int window) {
    Map<Integer, Integer> windows = windows(some, window);
    return IntStream.of(some)
        .mapToObj(i -> new Place(windows.get(images.group(i)), key(i), i))
        .sorted(
            Comparator.comparingInt(Place::window)
                .thenComparingLong(Place::key)
                .thenComparingInt(Place::image))
        .mapToInt(Place::image)
        .toArray();
  }

  /** The number of its window by row group. */
  private Map<Integer, Integer> windows(int[] some, int window) {
    Map<Integer, Integer> first = new HashMap<>();
    Arrays.stream(some).forEach(i -> first.merge(images.group(i), i, Math::min));
    int[] order =
        first.entrySet().stream()
            .map(entry -> new First(entry.getKey(), key(entry.getValue())))
            .sorted(Comparator.comparingLong(First::key).thenComparingInt(First::group))
            .mapToInt(First::group)
            .toArray();
    Map<Integer, Integer> windows = new HashMap<>();
    for (int place = 0; place < order.length; place++) {
      windows.put(order[place], place / window);
    }
    return windows;
  }

  private long key(int i) {
    return key.applyAsLong(images.id(i));
  }
}
