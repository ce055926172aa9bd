package org.mixtraining.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.mixtraining.config.JobConfig;
import org.mixtraining.data.Minibatches.Labels;
import org.mixtraining.data.Pixels.Move;

class MinibatchesTest {
  private static final int C = 3;
  private static final int H = 8;
  private static final int W = 6;
  private static final Normalization UNIT =
      new Normalization(List.of(0.0, 0.0, 0.0), List.of(1.0, 1.0, 1.0));
  private static final Normalization NORMAL =
      new Normalization(List.of(0.5, 0.4, 0.3), List.of(0.25, 0.2, 0.1));
  private static final JobConfig.Augment NONE = new JobConfig.Augment(0, false);
  private static final JobConfig.Augment CROP_AND_FLIP = new JobConfig.Augment(2, true);

  /** Images 10, 11, … of random pixels above 0, so that padding can be told from them. */
  private static ImageSet images(int count) {
    var ids = new long[count];
    var quantiles = new double[count];
    var pixels = new byte[count][C * H * W];
    for (int i = 0; i < count; i++) {
      ids[i] = 10L + i;
      int place = i / 5;
      int ofClass = count / 5;
      quantiles[i] = (place + 0.5) / ofClass;
      var random = new SplittableRandom(i);
      for (int p = 0; p < pixels[i].length; p++) {
        pixels[i][p] = (byte) random.nextInt(1, 256);
      }
    }
    var labels = IntStream.range(0, count).map(i -> i % 5).toArray();
    return ImageSet.of(ids, labels, quantiles, pixels, C, H, W);
  }

  private static Minibatches training(
      ImageSet images, JobConfig.Augment augment, long seed, int epoch, int batchSize) {
    return Minibatches.training(
        Share.all(images, UNIT), augment, seed, epoch, batchSize, 1, Labels.ALL);
  }

  private static List<Long> order(Minibatches batches) {
    var ids = new ArrayList<Long>();
    batches.forEachRemaining(batch -> Arrays.stream(batch.ids()).forEach(ids::add));
    return ids;
  }

  private static Map<Long, float[]> byId(Minibatches batches) {
    var pixels = new HashMap<Long, float[]>();
    batches.forEachRemaining(
        batch -> {
          int length = batch.pixels().length / batch.size();
          for (int n = 0; n < batch.size(); n++) {
            pixels.put(
                batch.ids()[n], Arrays.copyOfRange(batch.pixels(), n * length, (n + 1) * length));
          }
        });
    return pixels;
  }

  private static void assertSame(Map<Long, float[]> one, Map<Long, float[]> other) {
    assertThat(other.keySet()).isEqualTo(one.keySet());
    one.forEach((id, pixels) -> assertThat(other.get(id)).isEqualTo(pixels));
  }

  @Test
  void evaluationIsEveryImageInOrderNormalised() {
    var images = images(10);
    var batches = Minibatches.evaluation(images, NORMAL, 4);
    assertThat(batches.steps()).isEqualTo(3);
    assertThat(batches.images()).isEqualTo(10);
    var first = batches.next();
    assertThat(first.ids()).containsExactly(10, 11, 12, 13);
    assertThat(first.labels()).containsExactly(0, 1, 2, 3);
    var raw = new byte[C * H * W];
    images.read(1, raw);
    for (int p = 0; p < raw.length; p++) {
      int c = p / (H * W);
      double expected = ((raw[p] & 0xFF) / 255.0 - NORMAL.mean().get(c)) / NORMAL.std().get(c);
      assertThat(first.pixels()[raw.length + p]).isEqualTo((float) expected);
    }
    batches.next();
    assertThat(batches.next().size()).as("the last, partial batch").isEqualTo(2);
    assertThat(batches.hasNext()).isFalse();
  }

  @Test
  void withoutPaddingAndFlipTrainingPixelsAreTheImagesOwn() {
    var images = images(20);
    assertSame(
        byId(Minibatches.evaluation(images, UNIT, 7)), byId(training(images, NONE, 3, 4, 6)));
  }

  @Test
  void eachEpochHasItsOwnOrderAndTheSameImages() {
    var images = images(40);
    var first = order(training(images, NONE, 1, 0, 16));
    assertThat(first)
        .isEqualTo(order(training(images, CROP_AND_FLIP, 1, 0, 7)))
        .isNotEqualTo(order(training(images, NONE, 1, 1, 16)))
        .isNotEqualTo(order(training(images, NONE, 2, 0, 16)))
        .isNotEqualTo(order(Minibatches.evaluation(images, UNIT, 16)))
        .containsExactlyInAnyOrderElementsOf(order(Minibatches.evaluation(images, UNIT, 16)));
  }

  @Test
  void whatHappensToAnImageDependsOnSeedEpochAndIdAlone() {
    var all = byId(training(images(40), CROP_AND_FLIP, 1, 5, 16));
    var alone = byId(training(images(5), CROP_AND_FLIP, 1, 5, 2));
    alone.forEach((id, pixels) -> assertThat(all.get(id)).isEqualTo(pixels));
    var otherEpoch = byId(training(images(40), CROP_AND_FLIP, 1, 6, 16));
    assertThat(all.keySet().stream().filter(id -> !Arrays.equals(all.get(id), otherEpoch.get(id))))
        .hasSizeGreaterThan(30);
  }

  @Test
  void imagesOutsideTheLabelFractionComeUnlabelledOrNotAtAll() {
    var own = Share.all(images(40), UNIT); // 8 of each class
    var all = Minibatches.training(own, NONE, 1, 0, 40, 0.25, Labels.ALL).next();
    assertThat(all.size()).isEqualTo(40);
    for (int n = 0; n < 40; n++) {
      int i = (int) all.ids()[n] - 10;
      assertThat(all.labels()[n]).isEqualTo(i < 10 ? i % 5 : Minibatch.UNLABELLED);
    }
    var few = Minibatches.training(own, NONE, 1, 0, 4, 0.25, Labels.LABELLED_ONLY);
    assertThat(few.images()).isEqualTo(10);
    assertThat(few.steps()).isEqualTo(3);
    assertThat(few.next().labels()).doesNotContain(Minibatch.UNLABELLED);
  }

  @Test
  void flippingTwiceIsTheImageItself() {
    float[] image = moved(new Move(0, 0, Move.Mirror.NO));
    float[] flipped = moved(new Move(0, 0, Move.Mirror.YES));
    assertThat(flipped).isNotEqualTo(image);
    for (int row = 0; row < C * H; row++) {
      for (int x = 0; x < W; x++) {
        assertThat(flipped[row * W + W - 1 - x]).isEqualTo(image[row * W + x]);
      }
    }
  }

  @Test
  void aCropShowsTheShiftedImageAndBlackBeyondIt() {
    float[] image = moved(Move.NONE);
    for (var mirror : Move.Mirror.values()) {
      for (int down = -3; down <= 3; down++) {
        for (int right = -3; right <= 3; right++) {
          float[] crop = moved(new Move(down, right, mirror));
          for (int i = 0; i < crop.length; i++) {
            int x = i % W;
            int y = i / W % H + down;
            x = (mirror == Move.Mirror.YES ? W - 1 - x : x) + right;
            boolean inside = x >= 0 && x < W && y >= 0 && y < H;
            float expected = inside ? image[i / (H * W) * H * W + y * W + x] : 0;
            assertThat(crop[i]).isEqualTo(expected);
          }
        }
      }
    }
  }

  private static float[] moved(Move move) {
    var out = new float[C * H * W + 1];
    Pixels.moved(UNIT, move).write(images(5), 2, out, 1);
    return Arrays.copyOfRange(out, 1, out.length);
  }

  @Test
  void everyOffsetAndBothDirectionsAreDrawnAboutEquallyOften() {
    var random = new SplittableRandom(1);
    var drawn = new HashMap<Move, Integer>();
    for (int i = 0; i < 16_200; i++) {
      drawn.merge(Move.draw(random, new JobConfig.Augment(4, true)), 1, Integer::sum);
    }
    assertThat(drawn).hasSize(9 * 9 * 2);
    assertThat(drawn.values()).allMatch(times -> times > 50 && times < 150); // 100 expected
    var offsets = new HashSet<Integer>();
    drawn.keySet().forEach(move -> offsets.addAll(List.of(move.down(), move.right())));
    assertThat(offsets).containsExactlyInAnyOrder(-4, -3, -2, -1, 0, 1, 2, 3, 4);
  }

  @Test
  void blackPaddingIsBlackBeforeNormalisation() {
    var out = new float[C * H * W];
    Pixels.moved(NORMAL, new Move(H, 0, Move.Mirror.NO)).write(images(5), 0, out, 0);
    assertThat(out[0]).isEqualTo(-2f);
    assertThat(out[H * W]).isEqualTo(-2f);
    assertThat(out[2 * H * W]).isEqualTo(-3f);
  }
}
