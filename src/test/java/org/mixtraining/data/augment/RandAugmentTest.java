package org.mixtraining.data.augment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.mixtraining.data.augment.Canvases.HEIGHT;
import static org.mixtraining.data.augment.Canvases.WIDTH;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;
import org.junit.jupiter.params.provider.MethodSource;
import org.mixtraining.config.AugmentConfig;
import org.mixtraining.data.augment.RandAugment.Op;

class RandAugmentTest {
  private static final Set<Op> WITHOUT_STRENGTH =
      EnumSet.of(Op.IDENTITY, Op.AUTO_CONTRAST, Op.EQUALIZE);

  @ParameterizedTest
  @EnumSource(
      mode = Mode.EXCLUDE,
      names = {"AUTO_CONTRAST", "EQUALIZE"})
  void withoutStrengthAnOperationChangesNothing(Op op) {
    assertThat(after(op, 0)).isEqualTo(Canvases.random().pixels());
    assertThat(after(op, -0.0)).isEqualTo(Canvases.random().pixels());
  }

  @ParameterizedTest
  @EnumSource(mode = Mode.EXCLUDE, names = "IDENTITY")
  void anOperationChangesThePictureTheMoreTheStrongerItIs(Op op) {
    double weak = difference(after(op, 0.4), Canvases.random().pixels());
    double strong = difference(after(op, 1), Canvases.random().pixels());

    assertThat(strong).isPositive();
    if (!WITHOUT_STRENGTH.contains(op)) {
      assertThat(strong).isGreaterThan(weak);
    }
  }

  @ParameterizedTest
  @EnumSource(
      names = {
        "SHEAR_X",
        "SHEAR_Y",
        "TRANSLATE_X",
        "TRANSLATE_Y",
        "ROTATE",
        "BRIGHTNESS",
        "COLOR",
        "CONTRAST",
        "SHARPNESS"
      })
  void theSignIsADirection(Op op) {
    assertThat(after(op, 0.7)).isNotEqualTo(after(op, -0.7));
  }

  @Test
  void aTranslationMovesByUpTo45PercentOfTheSide() {
    byte[] image = Canvases.random().pixels();
    byte[] moved = after(Op.TRANSLATE_Y, 1); // 10 of 24 rows

    assertThat(Arrays.copyOf(moved, (HEIGHT - 10) * WIDTH))
        .isEqualTo(Arrays.copyOfRange(image, 10 * WIDTH, HEIGHT * WIDTH));
    assertThat(Arrays.copyOfRange(moved, (HEIGHT - 10) * WIDTH, HEIGHT * WIDTH)).containsOnly(0);
  }

  @Test
  void aGreyPictureHasNoColorToChange() {
    Canvas canvas = new Canvas(1, 8, 8);
    new SplittableRandom(1).nextBytes(canvas.pixels());
    byte[] image = canvas.pixels().clone();

    Canvases.apply(Op.COLOR, canvas, -1);

    assertThat(canvas.pixels()).isEqualTo(image);
  }

  @Test
  void anEvenPictureIsLeftAloneByWhatStretches() {
    for (Op op : new Op[] {Op.AUTO_CONTRAST, Op.EQUALIZE, Op.SHARPNESS}) {
      Canvas canvas = new Canvas(3, 8, 8);
      Arrays.fill(canvas.pixels(), (byte) 77);

      Canvases.apply(op, canvas, 1);

      assertThat(canvas.pixels()).containsOnly(77);
    }
  }

  @Test
  void everyOperationIsDrawnInBothDirections() {
    Set<Integer> seen = new HashSet<>();
    SplittableRandom random = new SplittableRandom(1);
    RandAugment one = new RandAugment(new AugmentConfig.RandAugment(1, 21));
    for (int i = 0; i < 1000; i++) {
      Canvas canvas = Canvases.random();
      one.apply(canvas, random);
      seen.add(Arrays.hashCode(canvas.pixels()));
    }
    // 9 with a direction, 2 without one, 2 without strength, and the image itself
    assertThat(seen).hasSize(9 * 2 + 2 + 2 + 1);
  }

  @Test
  void operationsFollowEachOther() {
    for (int seed = 0; seed < 50; seed++) {
      Canvas both = Canvases.random();
      Canvas twice = Canvases.random();
      SplittableRandom random = new SplittableRandom(seed);

      new RandAugment(new AugmentConfig.RandAugment(2, 15)).apply(both, new SplittableRandom(seed));
      new RandAugment(new AugmentConfig.RandAugment(1, 15)).apply(twice, random);
      new RandAugment(new AugmentConfig.RandAugment(1, 15)).apply(twice, random);

      assertThat(both.pixels()).isEqualTo(twice.pixels());
    }
  }

  /**
   * Figures of Pillow for an image of 20 x 20: its ImageEnhance, ImageOps and rotate, at three
   * places, and the sum over all pixels.
   */
  static Stream<Arguments> pillow() {
    return Stream.of(
        figures(
            "brightness 1.5",
            p -> ColorOps.brightness(p, 1.5f),
            198390,
            169,
            216,
            163,
            165,
            255,
            255,
            58,
            100,
            220),
        figures(
            "color 1.5",
            p -> ColorOps.color(p, 1.5f),
            145064,
            104,
            150,
            98,
            84,
            189,
            234,
            24,
            66,
            186),
        figures(
            "color 0.25",
            p -> ColorOps.color(p, 0.25f),
            126301,
            126,
            134,
            125,
            149,
            166,
            174,
            60,
            67,
            87),
        figures(
            "contrast 1.5",
            p -> ColorOps.contrast(p, 1.5f),
            145742,
            118,
            165,
            112,
            114,
            219,
            255,
            7,
            49,
            169),
        figures(
            "contrast 0.25",
            p -> ColorOps.contrast(p, 0.25f),
            125835,
            104,
            112,
            103,
            104,
            121,
            129,
            86,
            93,
            113),
        figures(
            "sharpness 1.5",
            p -> ColorOps.sharpness(p, 1.5f),
            138224,
            113,
            163,
            109,
            110,
            199,
            228,
            39,
            67,
            147),
        figures(
            "sharpness 0.25",
            p -> ColorOps.sharpness(p, 0.25f),
            137750,
            113,
            114,
            109,
            110,
            150,
            182,
            39,
            67,
            147),
        figures(
            "posterize 3",
            p -> ColorOps.posterize(p, 3),
            119648,
            96,
            128,
            96,
            96,
            160,
            192,
            32,
            64,
            128),
        figures(
            "solarize 128",
            p -> ColorOps.solarize(p, 128),
            96089,
            113,
            111,
            109,
            110,
            75,
            45,
            39,
            67,
            108),
        figures(
            "autocontrast",
            ColorOps::autoContrast,
            138730,
            106,
            190,
            78,
            102,
            242,
            240,
            11,
            81,
            139),
        figures("equalize", ColorOps::equalize, 206925, 162, 255, 131, 160, 255, 255, 13, 182, 248),
        figures(
            "rotate 30",
            p -> Canvases.apply(Op.ROTATE, p, -1),
            120379,
            124,
            73,
            98,
            108,
            150,
            182,
            0,
            0,
            0));
  }

  private static Arguments figures(
      String name, Consumer<Canvas> operation, long sum, Integer... values) {
    return Arguments.of(name, operation, sum, values);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("pillow")
  void operationsAreThoseOfPillow(
      String name, Consumer<Canvas> operation, long sum, Integer[] values) {
    Canvas canvas = formula();

    operation.accept(canvas);

    // Pillow cuts fractions off and takes whole greys, which is less than one a value
    int[] places = {3 * 20 + 5, 10 * 20 + 10, 19 * 20};
    long total = 0;
    for (int i = 0; i < 1200; i++) {
      total += canvas.value(i);
    }
    for (int i = 0; i < values.length; i++) {
      assertThat(canvas.value(i % 3 * 400 + places[i / 3])).isCloseTo(values[i], within(1));
    }
    assertThat((double) total).isCloseTo(sum, within(1200.0));
  }

  private static Canvas formula() {
    Canvas canvas = new Canvas(3, 20, 20);
    for (int i = 0; i < 400; i++) {
      int x = i % 20;
      int y = i / 20;
      canvas.pixels()[i] = (byte) ((7 * x + 11 * y + x * y) % 200 + 30);
      canvas.pixels()[400 + i] = (byte) ((5 * x * x + 3 * y) % 180 + 10);
      canvas.pixels()[800 + i] = (byte) ((13 * y + 2 * x) % 160 + 60);
    }
    return canvas;
  }

  private static byte[] after(Op op, double strength) {
    Canvas canvas = Canvases.random();
    Canvases.apply(op, canvas, strength);
    return canvas.pixels();
  }

  private static double difference(byte[] one, byte[] other) {
    double sum = 0;
    for (int i = 0; i < one.length; i++) {
      sum += Math.abs((one[i] & 0xFF) - (other[i] & 0xFF));
    }
    return sum;
  }
}
