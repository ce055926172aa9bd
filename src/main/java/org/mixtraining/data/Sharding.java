package org.mixtraining.data;

import java.io.Serializable;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;

/**
 * Assignment of a split's images to shards. Of any share of the split, as {@code data.fraction} and
 * {@code data.label-fraction} cut it, no shard has two images more than another, nor two more of
 * any class.
 *
 * <p>A share is the front of the row of all images in the order of their quantiles, and of each
 * class the front of its own row. Cut each of these rows into groups of as many images as there are
 * shards: it is enough that the images of a group go to different shards. An image is in one group
 * of the whole row and in one of its class's, an edge between the two, and a bipartite graph in
 * which no node has more edges than there are colours can be coloured so that no two edges of a
 * node are alike (Kőnig 1916): edge by edge, swapping two colours along a path where that is
 * needed.
 *
 * <p>It takes some 20 bytes an image while it is made, and 4 after that.
 */
public final class Sharding implements Serializable {
  private static final long serialVersionUID = 1L;

  /** Version of the assignment; it changes with the algorithm. */
  public static final int VERSION = 1;

  private static final int NONE = -1;

  private final int[][] shards; // [classes][images of the class]

  /**
   * @param histogram images of each class
   */
  public Sharding(List<Long> histogram, int shards) {
    this.shards = histogram.stream().map(n -> new int[Math.toIntExact(n)]).toArray(int[][]::new);
    new Colouring(this.shards, shards).run();
  }

  /** The shard of the image that is number {@code k} of its class, from 0. */
  public int shard(int label, int k) {
    return shards[label][k];
  }

  private static final class Colouring {
    private final int[][] result;
    private final int colours;
    private final int images;
    private final int[] firstGroup; // of each class
    private final int[] ends; // [images, 2] groups
    private final int[] colourOf; // [images]
    private final int[] imageOf; // [groups, colours]

    Colouring(int[][] result, int colours) {
      this.result = result;
      this.colours = colours;
      this.images = Arrays.stream(result).mapToInt(row -> row.length).sum();
      this.firstGroup = new int[result.length];
      int groups = groups(images);
      for (int label = 0; label < result.length; label++) {
        firstGroup[label] = groups;
        groups += groups(result[label].length);
      }
      this.ends = new int[2 * images];
      this.colourOf = new int[images];
      this.imageOf = new int[Math.multiplyExact(groups, colours)];
      Arrays.fill(imageOf, NONE);
    }

    private int groups(int row) {
      return (row + colours - 1) / colours;
    }

    private record Next(int label, int k, double quantile) {}

    /** Takes the images in the order of their quantiles. */
    void run() {
      PriorityQueue<Next> row =
          new PriorityQueue<>(
              Comparator.comparingDouble(Next::quantile).thenComparingInt(Next::label));
      for (int label = 0; label < result.length; label++) {
        add(row, label, 0);
      }
      int[][] numbers = new int[result.length][];
      Arrays.setAll(numbers, label -> new int[result[label].length]);
      for (int image = 0; !row.isEmpty(); image++) {
        Next next = row.remove();
        add(row, next.label, next.k + 1);
        numbers[next.label][next.k] = image;
        ends[2 * image] = image / colours;
        ends[2 * image + 1] = firstGroup[next.label] + next.k / colours;
        colour(image);
      }
      for (int label = 0; label < result.length; label++) {
        int[] own = numbers[label];
        Arrays.setAll(result[label], k -> colourOf[own[k]]);
      }
    }

    private void add(PriorityQueue<Next> row, int label, int k) {
      int n = result[label].length;
      if (k < n) {
        row.add(new Next(label, k, (k + 0.5) / n));
      }
    }

    private void colour(int image) {
      int all = ends[2 * image];
      int own = ends[2 * image + 1];
      for (int i = 0; i < colours; i++) {
        int colour = (image + i) % colours; // round and round, where classes allow it
        if (free(all, colour) && free(own, colour)) {
          set(image, colour);
          return;
        }
      }
      int colour = free(all);
      swap(own, colour, free(own));
      set(image, colour);
    }

    private boolean free(int group, int colour) {
      return imageOf[group * colours + colour] == NONE;
    }

    private int free(int group) {
      int colour = 0;
      while (!free(group, colour)) {
        colour++;
      }
      return colour;
    }

    private void set(int image, int colour) {
      colourOf[image] = colour;
      imageOf[ends[2 * image] * colours + colour] = image;
      imageOf[ends[2 * image + 1] * colours + colour] = image;
    }

    /**
     * Frees the first colour at a group, by exchanging the two along the path that begins there.
     */
    private void swap(int group, int first, int second) {
      int at = group;
      int from = first;
      int to = second;
      int image = imageOf[at * colours + from];
      imageOf[at * colours + from] = NONE;
      while (image != NONE) {
        int far = ends[2 * image] == at ? ends[2 * image + 1] : ends[2 * image];
        int next = imageOf[far * colours + to];
        imageOf[far * colours + from] = NONE;
        set(image, to);
        at = far;
        image = next;
        int last = from;
        from = to;
        to = last;
      }
    }
  }
}
