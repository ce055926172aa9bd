package org.mixtraining.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.mixtraining.schedule.Slice;

class ShareTest {
  private static final Normalization UNIT = new Normalization(List.of(0.0), List.of(1.0));

  private static ImageSet images(long firstId, int count) {
    return ImageSet.of(
        LongStream.range(firstId, firstId + count).toArray(),
        new int[count],
        new double[count],
        new byte[count][1],
        1,
        1,
        1);
  }

  private static int[] assigned(ImageSet images, int worker, int workers, long seed, int epoch) {
    return Share.all(images, UNIT).assigned(worker, workers, seed, epoch, 1).indices();
  }

  @Test
  void everyImageIsDealtToOneWorkerAndAllGetAlmostTheSame() {
    ImageSet images = images(100, 23);

    List<int[]> hands = IntStream.range(0, 4).mapToObj(w -> assigned(images, w, 4, 1, 0)).toList();

    assertThat(hands.stream().flatMapToInt(IntStream::of).sorted())
        .containsExactlyElementsOf(IntStream.range(0, 23).boxed().toList());
    assertThat(hands).extracting(hand -> hand.length).containsExactly(6, 6, 6, 5);
  }

  @Test
  void ofTheImagesWithoutALabelOnlyASliceIsVisited() {
    ImageSet images =
        ImageSet.of(
            LongStream.range(0, 20).toArray(),
            IntStream.range(0, 20).map(i -> i < 10 ? 0 : Minibatch.UNLABELLED).toArray(),
            IntStream.range(0, 20).mapToDouble(i -> (i % 10 + 0.5) / 10).toArray(),
            new byte[20][1],
            1,
            1,
            1);
    Share all = Share.all(images, UNIT);

    assertThat(all.visiting(Slice.ALL, 1, 0.2).indices()).isEqualTo(all.indices());
    assertThat(all.visiting(new Slice(0, 0.5), 1, 0.2).indices())
        .as("labelled, of those whose label is not used, and of those that have none")
        .containsExactly(0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14);
    assertThat(all.visiting(new Slice(0, 0.5), 0.6, 0.2).indices())
        .as("of a fraction")
        .containsExactly(0, 1, 2, 3, 10, 11, 12);
    assertThat(all.visiting(new Slice(0.5, 0.5), 1, 1).indices())
        .containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 18, 19);
  }

  /** 60 images of 3 classes, of each the first so many with a label. */
  @Test
  void labelledImagesOfEachClassAreDealtToAllWorkers() {
    ImageSet images =
        ImageSet.of(
            LongStream.range(0, 60).toArray(),
            IntStream.range(0, 60).map(i -> i % 3).toArray(),
            IntStream.range(0, 60).mapToDouble(i -> (i / 3 + 0.5) / 20).toArray(),
            new byte[60][1],
            1,
            1,
            1);
    for (int workers = 1; workers < 9; workers++) {
      for (int ofClass = 1; ofClass <= 20; ofClass++) {
        long[][] counts = new long[4][workers];
        for (int w = 0; w < workers; w++) {
          int labelled = 3 * ofClass;
          int[] hand = Share.all(images, UNIT).assigned(w, workers, 1, 2, ofClass / 20.0).indices();
          for (int label = 0; label < 3; label++) {
            int own = label;
            counts[label][w] = IntStream.of(hand).filter(i -> i < labelled && i % 3 == own).count();
          }
          counts[3][w] = IntStream.of(hand).filter(i -> i < labelled).count();
        }
        for (long[] count : counts) {
          assertThat(LongStream.of(count).max().orElseThrow())
              .isLessThanOrEqualTo(LongStream.of(count).min().orElseThrow() + 1);
        }
      }
    }
  }

  @Test
  void theDealDependsOnSeedAndEpoch() {
    ImageSet images = images(0, 40);

    assertThat(assigned(images, 0, 2, 1, 0))
        .isEqualTo(assigned(images, 0, 2, 1, 0))
        .isNotEqualTo(assigned(images, 0, 2, 1, 1))
        .isNotEqualTo(assigned(images, 0, 2, 2, 0));
  }

  @Test
  void aLoneWorkerIsDealtAll() {
    ImageSet images = images(0, 7);

    assertThat(assigned(images, 0, 1, 1, 3)).isEqualTo(Share.all(images, UNIT).indices());
  }
}
