package org.mixtraining.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ShardingTest {

  /**
   * Classes times shards with and without common factors, and more shards than images of a class.
   */
  @ParameterizedTest
  @CsvSource({
    "10, 45, 8",
    "10, 45, 5",
    "10, 40, 10",
    "8, 30, 4",
    "3, 10, 8",
    "100, 9, 8",
    "100, 5, 16",
    "1, 50, 7",
    "2, 30, 1",
    "12, 25, 6"
  })
  void classesOfOneSizeAreSpreadInEveryShare(int classes, long images, int shards) {
    assertEven(LongStream.generate(() -> images).limit(classes).boxed().toList(), shards);
  }

  @Test
  void classesOfAnySizeAreSpreadInEveryShare() {
    var random = new SplittableRandom(1);
    for (int round = 0; round < 300; round++) {
      int most = random.nextInt(1, 60);
      List<Long> histogram =
          LongStream.generate(() -> random.nextInt(most))
              .limit(random.nextInt(1, 12))
              .boxed()
              .toList();
      assertEven(histogram, random.nextInt(1, 20));
    }
  }

  @Test
  void anEmptySplitHasNothingToAssign() {
    assertEven(List.of(0L, 0L), 4);
  }

  @Test
  void itIsTheSameAgain() {
    var one = new Sharding(List.of(7L, 30L, 2L), 4);
    var other = new Sharding(List.of(7L, 30L, 2L), 4);
    for (int k = 0; k < 30; k++) {
      assertThat(one.shard(1, k)).isEqualTo(other.shard(1, k));
    }
  }

  private record Image(int label, int k, double quantile) {}

  /** After each image in the order of the quantiles: of all images, and of its class. */
  private static void assertEven(List<Long> histogram, int shards) {
    var sharding = new Sharding(histogram, shards);
    var all = new int[shards];
    var ofClass = new int[histogram.size()][shards];
    IntStream.range(0, histogram.size())
        .boxed()
        .flatMap(
            label ->
                IntStream.range(0, histogram.get(label).intValue())
                    .mapToObj(k -> new Image(label, k, (k + 0.5) / histogram.get(label))))
        .sorted(Comparator.comparingDouble(Image::quantile).thenComparingInt(Image::label))
        .forEach(
            image -> {
              int shard = sharding.shard(image.label, image.k);
              all[shard]++;
              ofClass[image.label][shard]++;
              assertThat(spread(all)).as("%s in %d", histogram, shards).isLessThanOrEqualTo(1);
              assertThat(spread(ofClass[image.label])).isLessThanOrEqualTo(1);
            });
  }

  private static int spread(int[] counts) {
    return Arrays.stream(counts).max().orElse(0) - Arrays.stream(counts).min().orElse(0);
  }
}
