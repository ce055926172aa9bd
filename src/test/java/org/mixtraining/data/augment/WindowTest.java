package org.mixtraining.data.augment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.mixtraining.data.augment.Canvases.CHANNELS;
import static org.mixtraining.data.augment.Canvases.HEIGHT;
import static org.mixtraining.data.augment.Canvases.WIDTH;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mixtraining.config.AugmentConfig;
import org.mixtraining.config.AugmentConfig.Range;

class WindowTest {

  @Test
  void aWindowLiesInsideWithItsShareAndRatioUpToTheRounding() {
    SplittableRandom random = new SplittableRandom(3);
    int drawn = 0;
    for (int i = 0; i < 2000; i++) {
      var window = Window.draw(random, 32, 24, new Range(0.1, 0.9), new Range(0.5, 2));
      if (window.isPresent()) {
        Window w = window.get();
        drawn++;
        assertThat(w.top()).isNotNegative();
        assertThat(w.left()).isNotNegative();
        assertThat(w.top() + w.height()).isBetween(1, 32);
        assertThat(w.left() + w.width()).isBetween(1, 24);
        assertThat((w.height() + 0.5) * (w.width() + 0.5)).isGreaterThan(0.1 * 32 * 24);
        assertThat((w.height() - 0.5) * (w.width() - 0.5)).isLessThan(0.9 * 32 * 24);
        assertThat((w.width() + 0.5) / (w.height() - 0.5)).isGreaterThan(0.5);
        assertThat((w.width() - 0.5) / (w.height() + 0.5)).isLessThan(2);
      }
    }
    assertThat(drawn).isGreaterThan(1900);
  }

  @Test
  void sharesAreUniform() {
    SplittableRandom random = new SplittableRandom(4);
    double sum = 0;
    for (int i = 0; i < 4000; i++) {
      Window w =
          Window.draw(random, 64, 64, new Range(0.1, 0.4), new Range(0.8, 1.25)).orElseThrow();
      sum += w.height() * w.width() / 4096.0;
    }
    assertThat(sum / 4000).isCloseTo(0.25, within(0.007)); // 5 standard errors
  }

  @ParameterizedTest
  @CsvSource({
    "32, 32, 0.75, 1.33, 0, 0, 32, 32",
    "20, 40, 0.75, 1.5, 0, 5, 20, 30",
    "40, 20, 0.75, 1.5, 6, 0, 27, 20",
    "32, 32, 2, 4, 8, 0, 16, 32",
  })
  void theLargestWindowIsInTheMiddle(
      int height, int width, double low, double high, int top, int left, int h, int w) {
    assertThat(Window.largest(height, width, new Range(low, high)))
        .isEqualTo(new Window(top, left, h, w));
  }

  @Test
  void zoomingIntoTheWholeImageIsTheImage() {
    Canvas canvas = Canvases.random();

    Resampling.zoom(canvas, new Window(0, 0, HEIGHT, WIDTH));

    assertThat(canvas.pixels()).isEqualTo(Canvases.random().pixels());
  }

  @Test
  void aZoomReadsNothingOutsideItsWindow() {
    SplittableRandom random = new SplittableRandom(5);
    for (int i = 0; i < 200; i++) {
      Window window =
          Window.draw(random, HEIGHT, WIDTH, new Range(0.01, 0.5), new Range(0.5, 2)).orElseThrow();
      Canvas one = Canvases.random(i);
      Canvas other = Canvases.random(i + 1000);
      for (int p = 0; p < one.pixels().length; p++) {
        int x = p % WIDTH - window.left();
        int y = p / WIDTH % HEIGHT - window.top();
        if (x >= 0 && x < window.width() && y >= 0 && y < window.height()) {
          other.pixels()[p] = one.pixels()[p];
        }
      }

      Resampling.zoom(one, window);
      Resampling.zoom(other, window);

      assertThat(one.pixels()).isEqualTo(other.pixels());
    }
  }

  @Test
  void aZoomReachesTheCornersOfItsWindow() {
    byte[] image = Canvases.random().pixels();
    Canvas canvas = Canvases.random();

    Resampling.zoom(canvas, new Window(3, 2, 4, 5)); // 3 and 2 times as large

    int last = HEIGHT * WIDTH - 1;
    for (int c = 0; c < CHANNELS; c++) {
      int plane = c * HEIGHT * WIDTH;
      assertThat(canvas.pixels()[plane]).isEqualTo(image[plane + 3 * WIDTH + 2]);
      assertThat(canvas.pixels()[plane + last]).isEqualTo(image[plane + 6 * WIDTH + 6]);
    }
  }

  @Test
  void aCropWithoutAFittingWindowIsTheLargestInTheMiddle() {
    // windows of the whole area that are not square never fit
    var options = new AugmentConfig.ResizedCrop(new Range(1, 1), new Range(1.5, 1.5));
    Canvas canvas = new Canvas(1, 9, 9);
    canvas.pixels()[0] = 9; // outside of the middle six rows

    new ResizedCrop(options).apply(canvas, new SplittableRandom(1));

    assertThat(canvas.pixels()).containsOnly(0);
  }
}
