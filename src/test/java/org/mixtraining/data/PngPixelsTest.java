package org.mixtraining.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.mixtraining.data.DrawnPng.chunk;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.mixtraining.data.images.ImageDecoder;
import org.mixtraining.data.images.Picture;
import org.mixtraining.data.images.RawImage;

/** Every kind of PNG gives the colours that it stores, of the middle square, to the last bit. */
class PngPixelsTest {
  private static final int SIDE = 8;
  private static final int[][] SIZES = {
    {7, 7}, {40, 9}, {9, 40}, {33, 1}, {1, 33}, {1, 1}, {3, 2}, {2, 5}, {131, 70}, {70, 131}
  };

  /** Colour type and depth, as the specification allows them. */
  static List<int[]> kinds() {
    var kinds = new ArrayList<int[]>();
    int[][] depths = {{1, 2, 4, 8, 16}, {}, {8, 16}, {1, 2, 4, 8}, {8, 16}, {}, {8, 16}};
    for (int colour = 0; colour < depths.length; colour++) {
      for (int depth : depths[colour]) {
        kinds.add(new int[] {colour, depth});
      }
    }
    return kinds;
  }

  private static Picture picture(byte[] file) {
    var image = new ImageDecoder(SIDE, 1 << 20).image("it", 0, file);
    assertThat(image).as(image.toString()).isInstanceOf(RawImage.Usable.class);
    return ((RawImage.Usable) image).picture();
  }

  /** The means of blocks of the middle square, from the samples that were drawn. */
  private static Picture expected(DrawnPng png) {
    int height = png.samples().length;
    int square = Math.min(png.width(), height);
    int step = Math.max(1, square / (4 * SIDE));
    int side = square / step;
    int left = (png.width() - side * step) / 2;
    int top = (height - side * step) / 2;
    var pixels = new byte[3 * side * side];
    for (int i = 0; i < pixels.length; i++) {
      int x = left + i % side * step;
      int y = top + i / side % side * step;
      double sum = 0;
      for (int j = 0; j < step * step; j++) {
        sum += png.rgb(i / side / side, x + j % step, y + j / step);
      }
      pixels[i] = (byte) Math.round(sum / step / step);
    }
    return new Picture(3, side, side, pixels);
  }

  private static void assertRead(DrawnPng png, byte[]... chunks) {
    var expected = expected(png);
    var picture = picture(png.file(chunks));
    var what = "%s x %s of %s".formatted(png.width(), png.samples().length, png);
    assertThat(picture.width()).as(what).isEqualTo(expected.width());
    assertThat(picture.height()).as(what).isEqualTo(expected.height());
    assertThat(picture.pixels()).as(what).isEqualTo(expected.pixels());
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void everyColourTypeAndDepthComesBackExactly(int[] kind) {
    for (int[] size : SIZES) {
      for (boolean interlaced : new boolean[] {false, true}) {
        assertRead(DrawnPng.noise(kind[0], kind[1], interlaced, size[0], size[1]));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void transparencyLeavesTheColoursThatAreStored(int[] kind) {
    int[] bytes = {2, 0, 6, 1 << Math.min(kind[1], 8), 0, 0, 0};
    if (bytes[kind[0]] == 0) {
      return; // has an alpha channel, which is noise already
    }
    for (int[] size : SIZES) {
      for (boolean interlaced : new boolean[] {false, true}) {
        var png = DrawnPng.noise(kind[0], kind[1], interlaced, size[0], size[1]);
        var clear =
            new byte[bytes[kind[0]]]; // all of the palette, or the colour of the first pixel
        for (int i = 0; kind[0] != 3 && i < clear.length; i++) {
          clear[i] = (byte) (png.samples()[0][i / 2] >> (i % 2 == 0 ? 8 : 0));
        }
        assertRead(png, chunk("tRNS", clear));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void whatIsSaidAboutColoursChangesNone(int[] kind) {
    var png = DrawnPng.noise(kind[0], kind[1], false, 12, 10);
    assertRead(
        png,
        chunk("gAMA", new byte[] {0, 1, (byte) 0x86, (byte) 0xA0}), // 1.0
        chunk("cHRM", new byte[32]),
        chunk("sRGB", new byte[1]),
        chunk("sBIT", new byte[] {1, 1, 1, 1}),
        chunk("bKGD", new byte[] {0, 7}),
        chunk("tRNS", new byte[999]),
        chunk("iCCP", "no profile\0\0".getBytes(StandardCharsets.ISO_8859_1)),
        chunk("pHYs", new byte[2]),
        chunk("tIME", new byte[] {1, 2, 99, 99, 99, 99, 99}),
        chunk("zTXt", new byte[] {'a', 0, 9, 9, 9}));
  }

  @Test
  void aSuggestedPaletteIsPassedOver() {
    assertRead(DrawnPng.noise(2, 8, false, 12, 10), chunk("PLTE", new byte[9]));
    assertRead(DrawnPng.noise(6, 16, true, 12, 10), chunk("PLTE", new byte[9]));
  }

  @Test
  void whatFollowsTheImageIsNotLookedAt() {
    var png = DrawnPng.noise(2, 8, false, 12, 10);
    byte[] file = png.file();
    byte[] longer = Arrays.copyOf(file, file.length + 5000);
    System.arraycopy(file, 0, longer, file.length + 7, 100);
    assertThat(picture(longer)).usingRecursiveComparison().isEqualTo(expected(png));
  }

  @Test
  void damageBesideTheImageIsNoDamageToIt() {
    var png = DrawnPng.noise(0, 8, false, 12, 10);
    byte[] text = chunk("tEXt", new byte[] {'a', 0, 'b'});
    text[text.length - 1]++;
    assertRead(png, text);
  }

  @Test
  void aChunkThatChangesWhatTheOthersMeanIsNotPassedOver() {
    byte[] file = DrawnPng.noise(2, 8, false, 12, 10).file(chunk("CgBI", new byte[4]));
    assertThat(new ImageDecoder(SIDE, 1 << 20).image("it", 0, file))
        .isEqualTo(new RawImage.Unusable("it", 0, "a PNG with chunks of the unknown kind CgBI"));
  }

  @ParameterizedTest
  @CsvSource({"128, 128", "256, 64", "64, 300", "1000, 999"})
  void aFinePatternBecomesItsMean(int width, int height) {
    var samples = new int[height][width];
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        samples[y][x] = (x + y) % 2;
      }
    }
    var scaled = picture(new DrawnPng(0, 1, false, width, samples, null).file()).scaled(SIDE);
    for (byte pixel : scaled.pixels()) {
      assertThat(pixel & 0xFF).isBetween(125, 130);
    }
  }
}
