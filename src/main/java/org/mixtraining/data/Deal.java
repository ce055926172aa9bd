package org.mixtraining.data;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The images of an epoch, dealt to its steps.
 *
 * @param order in which they are taken
 * @param sizes of the minibatches; where there are fewer images than steps, the last have none
 */
record Deal(int[] order, int[] sizes) {

  private static Deal of(List<int[]> minibatches, int steps) {
    int[] order = minibatches.stream().flatMapToInt(IntStream::of).toArray();
    int[] sizes = minibatches.stream().mapToInt(images -> images.length).toArray();
    return new Deal(order, Arrays.copyOf(sizes, steps));
  }

  /** In the order that they have, in minibatches of nearly one size, the larger first. */
  static Deal evenly(int[] images, int steps) {
    return new Deal(images, sizes(images.length, steps));
  }

  private static int[] sizes(int images, int parts) {
    return IntStream.range(0, parts)
        .map(p -> begin(images, parts, p + 1) - begin(images, parts, p))
        .toArray();
  }

  private static List<int[]> parts(int[] images, int parts) {
    return IntStream.range(0, parts)
        .mapToObj(
            p ->
                Arrays.copyOfRange(
                    images, begin(images.length, parts, p), begin(images.length, parts, p + 1)))
        .toList();
  }

  private static int begin(int images, int parts, int part) {
    return images / parts * part + Math.min(part, images % parts);
  }

  /**
   * In minibatches of nearly one size, in which those with a label come first: no one has two of
   * them more than another.
   */
  static Deal spread(int[] labelled, int[] unlabelled, int steps) {
    int images = labelled.length + unlabelled.length;
    int[] sizes = sizes(images, steps);
    List<int[]> minibatches = new ArrayList<>();
    int at = 0; // among the labelled
    int other = 0;
    for (int step = 0; step < steps; step++) {
      int size = sizes[step];
      int own = labelled(labelled.length, images, steps, step);
      minibatches.add(
          IntStream.concat(
                  Arrays.stream(labelled, at, at + own),
                  Arrays.stream(unlabelled, other, other + size - own))
              .toArray());
      at += own;
      other += size - own;
    }
    return of(minibatches, steps);
  }

  /**
   * Labelled images of a step. Those that do not go round once more come at equal distances; but
   * where only the larger steps have room for them, in those.
   */
  private static int labelled(int labelled, int images, int steps, int step) {
    int round = labelled / steps;
    long left = labelled % steps;
    int among = round < images / steps ? steps : images % steps;
    return step < among ? round + (int) ((step + 1) * left / among - step * left / among) : round;
  }

  /**
   * In minibatches of one kind each, the labelled at equal distances, the largest as small as can
   * be. A single step takes both kinds.
   */
  static Deal apart(int[] labelled, int[] unlabelled, int steps) {
    int taking = Math.min(steps, labelled.length + unlabelled.length);
    if (taking < 2) {
      return spread(labelled, unlabelled, steps);
    }
    int own = own(labelled.length, unlabelled.length, taking);
    Iterator<int[]> with = parts(labelled, own).iterator();
    Iterator<int[]> without = parts(unlabelled, taking - own).iterator();
    return of(
        IntStream.range(0, taking)
            .mapToLong(step -> (step + 1L) * own / taking - (long) step * own / taking)
            .mapToObj(labels -> labels > 0 ? with.next() : without.next())
            .toList(),
        steps);
  }

  /** How many of the steps are on labelled images; each step is on one image at least. */
  private static int own(int labelled, int unlabelled, int steps) {
    if (labelled == 0 || unlabelled == 0) {
      return labelled == 0 ? 0 : steps;
    }
    return IntStream.rangeClosed(Math.max(1, steps - unlabelled), Math.min(steps - 1, labelled))
        .boxed()
        .min(
            Comparator.comparing(
                own ->
                    Math.max(
                        Minibatches.steps(labelled, own),
                        Minibatches.steps(unlabelled, steps - own))))
        .orElseThrow();
  }
}
