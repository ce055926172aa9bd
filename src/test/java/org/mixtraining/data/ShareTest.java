package org.mixtraining.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

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

  private static int[] dealt(ImageSet images, int worker, int workers, long seed, int epoch) {
    return Share.dealt(images, UNIT, worker, workers, seed, epoch).indices();
  }

  @Test
  void everyImageIsDealtToOneWorkerAndAllGetAlmostTheSame() {
    ImageSet images = images(100, 23);

    List<int[]> hands = IntStream.range(0, 4).mapToObj(w -> dealt(images, w, 4, 1, 0)).toList();

    assertThat(hands.stream().flatMapToInt(IntStream::of).sorted())
        .containsExactlyElementsOf(IntStream.range(0, 23).boxed().toList());
    assertThat(hands).extracting(hand -> hand.length).containsExactly(6, 6, 6, 5);
  }

  @Test
  void theDealDependsOnSeedAndEpoch() {
    ImageSet images = images(0, 40);

    assertThat(dealt(images, 0, 2, 1, 0))
        .isEqualTo(dealt(images, 0, 2, 1, 0))
        .isNotEqualTo(dealt(images, 0, 2, 1, 1))
        .isNotEqualTo(dealt(images, 0, 2, 2, 0));
  }

  @Test
  void aLoneWorkerIsDealtAll() {
    ImageSet images = images(0, 7);

    assertThat(dealt(images, 0, 1, 1, 3)).isEqualTo(Share.all(images, UNIT).indices());
  }
}
