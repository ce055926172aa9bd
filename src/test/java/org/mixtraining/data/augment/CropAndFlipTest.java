package org.mixtraining.data.augment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.mixtraining.data.augment.Canvases.HEIGHT;
import static org.mixtraining.data.augment.Canvases.WIDTH;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class CropAndFlipTest {

  @Test
  void flippingTwiceIsTheImageItself() {
    byte[] image = Canvases.random().pixels();
    Canvas canvas = Canvases.random();

    Flip.mirror(canvas);

    byte[] flipped = canvas.pixels().clone();
    for (int i = 0; i < image.length; i++) {
      int x = i % WIDTH;
      assertThat(flipped[i - x + WIDTH - 1 - x]).isEqualTo(image[i]);
    }
    Flip.mirror(canvas);
    assertThat(canvas.pixels()).isEqualTo(image).isNotEqualTo(flipped);
  }

  @Test
  void aboutEverySecondImageIsFlipped() {
    SplittableRandom random = new SplittableRandom(1);
    int flipped = 0;
    for (int i = 0; i < 1000; i++) {
      Canvas canvas = Canvases.random();
      new Flip().apply(canvas, random);
      flipped += Arrays.equals(canvas.pixels(), Canvases.random().pixels()) ? 0 : 1;
    }
    assertThat(flipped).isBetween(420, 580); // 5 standard deviations
  }

  @Test
  void aCropShowsTheShiftedImageAndBlackBeyondIt() {
    byte[] image = Canvases.random().pixels();
    for (int down : new int[] {-HEIGHT - 3, -HEIGHT, -2, 0, 1, 7, HEIGHT, HEIGHT + 5}) {
      for (int right : new int[] {-WIDTH - 3, -WIDTH, -3, 0, 1, 6, WIDTH, WIDTH + 5}) {
        Canvas canvas = Canvases.random();
        Flip.mirror(canvas); // leaves no black behind in the room for the next version
        canvas.turn();
        System.arraycopy(image, 0, canvas.pixels(), 0, image.length);

        PaddedCrop.shift(canvas, down, right);

        for (int i = 0; i < image.length; i++) {
          int x = i % WIDTH + right;
          int y = i / WIDTH % HEIGHT + down;
          boolean inside = x >= 0 && x < WIDTH && y >= 0 && y < HEIGHT;
          byte expected = inside ? image[i + down * WIDTH + right] : 0;
          assertThat(canvas.pixels()[i]).isEqualTo(expected);
        }
      }
    }
  }

  @Test
  void everyOffsetIsDrawnAboutEquallyOften() {
    SplittableRandom random = new SplittableRandom(1);
    Map<Integer, Integer> drawn = new HashMap<>();
    for (int i = 0; i < 8100; i++) {
      Canvas canvas = new Canvas(1, 9, 9);
      canvas.pixels()[4 * 9 + 4] = 1;
      new PaddedCrop(4).apply(canvas, random);
      for (int at = 0; at < 81; at++) {
        drawn.merge(at, (int) canvas.pixels()[at], Integer::sum);
      }
    }
    // the middle pixel lands everywhere, 100 times expected
    assertThat(drawn.values()).hasSize(81).allMatch(times -> times > 50 && times < 150);
  }
}
