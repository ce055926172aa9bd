package org.mixtraining.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.mixtraining.config.AugmentConfig;
import org.mixtraining.config.JobConfig;
import org.mixtraining.data.Minibatches.Labels;
import org.mixtraining.kernels.WorkerThreads;

class MinibatchesTest {
  private static final int C = 3;
  private static final int H = 8;
  private static final int W = 6;
  private static final Normalization UNIT =
      new Normalization(List.of(0.0, 0.0, 0.0), List.of(1.0, 1.0, 1.0));
  private static final Normalization NORMAL =
      new Normalization(List.of(0.5, 0.4, 0.3), List.of(0.25, 0.2, 0.1));
  private static final AugmentConfig.Images NONE = only("crop-padding=0", "flip=false");
  private static final AugmentConfig.Images CROP_AND_FLIP = only("crop-padding=2", "flip=true");

  private static AugmentConfig.Images only(String... settings) {
    var overrides = Arrays.stream(settings).map(setting -> "augment.sl." + setting).toList();
    return JobConfig.load(Optional.empty(), overrides).augment().sl();
  }

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
      ImageSet images, AugmentConfig.Images augment, long seed, int epoch, int batchSize) {
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

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 7, 100, 130})
  void anEpochThatGoesOnAtAStepIsThatWhichBeganBefore(int steps) {
    var images = images(100);
    for (Labels labels : Labels.values()) {
      Supplier<Minibatches> epoch =
          () ->
              Minibatches.training(Share.all(images, UNIT), NONE, 7, 3, 32, 0.3, labels)
                  .inSteps(steps);
      List<List<Long>> whole = new ArrayList<>();
      epoch.get().forEachRemaining(batch -> whole.add(ids(batch)));
      assertThat(whole.stream().flatMap(List::stream)).doesNotHaveDuplicates();
      assertThat(whole).hasSize(Math.min(steps, epoch.get().images()));

      for (int from = 0; from <= steps; from++) {
        Minibatches rest = epoch.get();
        rest.skipTo(from);
        List<List<Long>> left = new ArrayList<>();
        rest.forEachRemaining(batch -> left.add(ids(batch)));
        assertThat(left).isEqualTo(whole.subList(Math.min(from, whole.size()), whole.size()));
      }
    }
  }

  private static List<Long> ids(Minibatch batch) {
    return Arrays.stream(batch.ids()).boxed().toList();
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 8})
  void severalThreadsPrepareTheSamePixelsHoweverOften(int count) {
    AugmentConfig.Images all =
        only("random-resized-crop.scale=[0.2, 1]", "rand-augment.ops=2", "random-erasing=0.5");
    var images = images(100);
    var expected = byId(training(images, all, 7, 3, 32));
    try (var threads = new WorkerThreads(count)) {
      for (int pass = 0; pass < 100; pass++) {
        assertSame(expected, byId(training(images, all, 7, 3, 32).preparedBy(threads)));
      }
    }
  }

  /** Threads that had ended for want of work made the next minibatch fail. */
  @Test
  void theyMayWaitForSecondsBetweenTwoMinibatches() throws InterruptedException {
    AugmentConfig.Images costly = only("random-resized-crop.scale=[0.2, 1]", "rand-augment.ops=5");
    var images = images(1000);
    try (var threads = new WorkerThreads(2)) {
      var plain = training(images, costly, 1, 0, 500);
      var several = Stream.generate(() -> plain.preparedBy(threads)).limit(8).toList();
      several.forEach(Minibatches::next);
      Thread.sleep(5500);
      plain.next();
      float[] expected = plain.next().pixels();
      for (var batches : several) {
        assertThat(batches.next().pixels()).isEqualTo(expected);
      }
    }
  }

  private static void assertSame(Map<Long, float[]> one, Map<Long, float[]> other) {
    assertThat(other.keySet()).isEqualTo(one.keySet());
    one.forEach((id, pixels) -> assertThat(other.get(id)).isEqualTo(pixels));
  }

  @Test
  void evaluationIsEveryImageInOrderNormalised() {
    var images = images(10);
    var batches = Minibatches.evaluation(images, NORMAL, 1, 4);
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
    assertThat(batches.next().ids()).containsExactly(14, 15, 16);
    assertThat(batches.next().ids()).containsExactly(17, 18, 19);
    assertThat(batches.hasNext()).isFalse();
  }

  /** A dark frame around a middle of one colour. */
  @Test
  void evaluationMayBeOfTheCentre() {
    byte[] framed = new byte[64];
    for (int y = 1; y < 7; y++) {
      Arrays.fill(framed, y * 8 + 1, y * 8 + 7, (byte) 200);
    }
    var one = ImageSet.of(new long[1], new int[1], new double[1], new byte[][] {framed}, 1, 8, 8);
    var plain = new Normalization(List.of(0.0), List.of(1.0));

    assertThat(Minibatches.evaluation(one, plain, 1, 1).next().pixels()).contains(0f);
    assertThat(Minibatches.evaluation(one, plain, 0.75, 1).next().pixels())
        .containsOnly((float) (200 / 255.0));
  }

  @Test
  void withoutPaddingAndFlipTrainingPixelsAreTheImagesOwn() {
    var images = images(20);
    assertSame(
        byId(Minibatches.evaluation(images, UNIT, 1, 7)), byId(training(images, NONE, 3, 4, 6)));
  }

  @Test
  void eachEpochHasItsOwnOrderAndTheSameImages() {
    var images = images(40);
    var first = order(training(images, NONE, 1, 0, 16));
    assertThat(first)
        .isEqualTo(order(training(images, CROP_AND_FLIP, 1, 0, 7)))
        .isNotEqualTo(order(training(images, NONE, 1, 1, 16)))
        .isNotEqualTo(order(training(images, NONE, 2, 0, 16)))
        .isNotEqualTo(order(Minibatches.evaluation(images, UNIT, 1, 16)))
        .containsExactlyInAnyOrderElementsOf(order(Minibatches.evaluation(images, UNIT, 1, 16)));
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

  @ParameterizedTest
  @CsvSource({"5, 32", "30, 30", "35, 32", "65, 32", "225, 32", "40, 7", "5, 1"})
  void minibatchesAreAsFewAsHoldAllImagesAndDifferByOneAtMost(int images, int most) {
    var set = images(images);
    for (Labels labels : Labels.values()) {
      var batches = Minibatches.training(Share.all(set, UNIT), NONE, 1, 0, most, 1, labels);
      assertThat(batches.steps()).isEqualTo((images + most - 1) / most);
      List<Integer> sizes = new ArrayList<>();
      batches.forEachRemaining(batch -> sizes.add(batch.size()));
      assertThat(sizes).hasSize(batches.steps());
      assertThat(sizes.stream().mapToInt(size -> size).sum()).isEqualTo(images);
      int largest = sizes.get(0);
      assertThat(largest).isLessThanOrEqualTo(most);
      assertThat(sizes).allMatch(size -> size == largest || size == largest - 1);
    }
  }

  @Test
  void labelledImagesAreSpreadOverTheMinibatches() {
    var own = Share.all(images(115), UNIT);
    for (int percent = 1; percent <= 100; percent++) {
      List<Long> labelled = new ArrayList<>();
      var batches = Minibatches.training(own, NONE, 1, 0, 32, percent / 100.0, Labels.ALL);
      List<Long> ids = new ArrayList<>();
      batches.forEachRemaining(
          batch -> {
            Arrays.stream(batch.ids()).forEach(ids::add);
            labelled.add(
                Arrays.stream(batch.labels()).filter(l -> l != Minibatch.UNLABELLED).count());
          });
      assertThat(Collections.max(labelled) - Collections.min(labelled))
          .as("%d %%: %s", percent, labelled)
          .isLessThanOrEqualTo(1);
      assertThat(ids).doesNotHaveDuplicates().hasSize(115);
    }
  }

  @Test
  void aFewLabelledImagesComeAtEqualDistances() {
    var own = Share.all(images(100), UNIT);
    List<Integer> with = new ArrayList<>();
    var batches = Minibatches.training(own, NONE, 1, 0, 5, 0.05, Labels.ALL);
    for (int step = 0; batches.hasNext(); step++) {
      if (Arrays.stream(batches.next().labels()).anyMatch(l -> l != Minibatch.UNLABELLED)) {
        with.add(step);
      }
    }
    assertThat(with).containsExactly(3, 7, 11, 15, 19);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 2, 3, 7, 40, 115, 300})
  void minibatchesApartAreOfOneKindAndOfNearlyOneSize(int steps) {
    var own = Share.all(images(115), UNIT);
    for (int percent = 1; percent <= 100; percent++) {
      var batches = Minibatches.training(own, NONE, 1, 0, 32, percent / 100.0, Labels.APART);
      if (steps > 0) {
        batches = batches.inSteps(steps);
        assertThat(batches.steps()).isEqualTo(steps);
      }
      List<Long> ids = new ArrayList<>();
      List<Integer> with = new ArrayList<>();
      List<Integer> without = new ArrayList<>();
      while (batches.hasNext()) {
        Minibatch batch = batches.next();
        Arrays.stream(batch.ids()).forEach(ids::add);
        boolean labelled = batch.labels()[0] != Minibatch.UNLABELLED;
        assertThat(Arrays.stream(batch.labels()))
            .allMatch(l -> (l != Minibatch.UNLABELLED) == labelled);
        (labelled ? with : without).add(batch.size());
      }
      assertThat(ids).as("%s %%", percent).doesNotHaveDuplicates().hasSize(115);
      for (List<Integer> sizes : List.of(with, without)) {
        if (!sizes.isEmpty()) {
          assertThat(Collections.max(sizes) - Collections.min(sizes)).isLessThanOrEqualTo(1);
          assertThat(Collections.max(sizes)).isLessThanOrEqualTo(steps == 0 ? 32 : 115);
        }
      }
      assertThat(with.size() + without.size())
          .isEqualTo(steps == 0 ? batches.steps() : Math.min(steps, 115));
    }
  }

  @Test
  void fewLabelledMinibatchesComeAtEqualDistances() {
    var own = Share.all(images(100), UNIT);
    var batches = Minibatches.training(own, NONE, 1, 0, 5, 0.25, Labels.APART);
    List<Integer> with = new ArrayList<>();
    for (int step = 0; batches.hasNext(); step++) {
      if (batches.next().labels()[0] != Minibatch.UNLABELLED) {
        with.add(step);
      }
    }
    assertThat(with).containsExactly(3, 7, 11, 15, 19);
  }

  @Test
  void partnersHaveAnOrderAndAnAugmentationOfTheirOwnInEachPass() {
    var own = Share.all(images(40), UNIT);
    List<Long> images = order(training(own.images(), CROP_AND_FLIP, 1, 0, 16));
    List<Long> first = order(Minibatches.partners(own, CROP_AND_FLIP, 1, 0, 16, 0));
    assertThat(first)
        .containsExactlyInAnyOrderElementsOf(images)
        .isNotEqualTo(images)
        .isNotEqualTo(order(Minibatches.partners(own, CROP_AND_FLIP, 1, 0, 16, 1)))
        .isEqualTo(order(Minibatches.partners(own, NONE, 1, 0, 7, 0)));

    var pixels = byId(training(own.images(), CROP_AND_FLIP, 1, 0, 16));
    var partners = byId(Minibatches.partners(own, CROP_AND_FLIP, 1, 0, 16, 0));
    assertThat(
            pixels.keySet().stream().filter(id -> !Arrays.equals(pixels.get(id), partners.get(id))))
        .hasSizeGreaterThan(30);
  }

  @Test
  void everyOptionDependsOnSeedEpochAndIdAlone() {
    var everything =
        only(
            "random-resized-crop.scale=[0.3, 1]",
            "rand-augment.ops=2",
            "rand-augment.magnitude=15",
            "random-erasing=0.5");
    var all = byId(training(images(40), everything, 1, 5, 16));
    var alone = byId(training(images(5), everything, 1, 5, 2));
    alone.forEach((id, pixels) -> assertThat(all.get(id)).isEqualTo(pixels));
    var otherSeed = byId(training(images(40), everything, 2, 5, 16));
    var otherEpoch = byId(training(images(40), everything, 1, 6, 16));
    all.forEach(
        (id, pixels) -> {
          assertThat(otherSeed.get(id)).isNotEqualTo(pixels);
          assertThat(otherEpoch.get(id)).isNotEqualTo(pixels);
        });
  }

  @Test
  void blackPaddingIsBlackBeforeNormalisation() {
    var batches =
        Minibatches.training(
            Share.all(images(40), NORMAL), only("crop-padding=4"), 1, 0, 40, 1, Labels.ALL);
    var pixels = batches.next().pixels();
    for (int p = 0; p < pixels.length; p++) {
      int c = p / (H * W) % C;
      double black = -NORMAL.mean().get(c) / NORMAL.std().get(c);
      assertThat((double) pixels[p]).isGreaterThanOrEqualTo(black);
      if (p % (C * H * W) % (H * W) == 0 && pixels[p] == (float) black) {
        return; // a corner that a crop uncovered
      }
    }
    throw new AssertionError("40 crops uncovered no corner");
  }

  @Test
  void erasedRectanglesHaveTheMeanColour() {
    var erased =
        Minibatches.training(
            Share.all(images(40), NORMAL),
            only("crop-padding=0", "random-erasing=1"),
            1,
            0,
            40,
            1,
            Labels.ALL);
    var pixels = erased.next().pixels();
    int near = 0;
    for (float value : pixels) {
      near += Math.abs(value) < 0.02 ? 1 : 0; // half a pixel value or less from the mean
    }
    // 2 to 33 % of 40 images of 48 pixels
    assertThat(near).isBetween(40, pixels.length / 3);
  }
}
