package org.mixtraining.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.color.ColorSpace;
import java.awt.color.ICC_Profile;
import java.awt.image.BufferedImage;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.mixtraining.data.images.ImageDecoder;
import org.mixtraining.data.images.Picture;
import org.mixtraining.data.images.RawImage;

/** Every kind of JPEG gives the colours that were drawn, whatever else is in the file. */
class JpegPixelsTest {
  private static final int SIDE = 8;
  private static final byte[] PHOTO =
      ImageBytes.encoded(ImageBytes.image(BufferedImage.TYPE_INT_RGB, 40, 24, 6), "jpeg");

  static List<int[]> sizes() {
    return List.of(
        new int[] {16, 16},
        new int[] {45, 9},
        new int[] {9, 45},
        new int[] {33, 1},
        new int[] {1, 33},
        new int[] {3, 2},
        new int[] {131, 70},
        new int[] {70, 131},
        new int[] {400, 300});
  }

  private static RawImage image(byte[] file) {
    return new ImageDecoder(SIDE, 1 << 20).image("it", 0, file);
  }

  private static Picture picture(byte[] file) {
    var image = image(file);
    assertThat(image).as(image.toString()).isInstanceOf(RawImage.Usable.class);
    return ((RawImage.Usable) image).picture();
  }

  private static int at(Picture picture, int channel, int x, int y) {
    return picture.pixels()[(channel * picture.height() + y) * picture.width() + x] & 0xFF;
  }

  /** Compares with the drawing at the middle of every block of the middle square. */
  private static void assertDrawn(byte[] file, BufferedImage drawn, int tolerance) {
    var picture = picture(file);
    int square = Math.min(drawn.getWidth(), drawn.getHeight());
    int step = Math.max(1, square / (4 * SIDE));
    int side = square / step;
    assertThat(picture.width()).isEqualTo(side);
    assertThat(picture.height()).isEqualTo(side);
    int left = (drawn.getWidth() - side * step) / 2 + step / 2;
    int top = (drawn.getHeight() - side * step) / 2 + step / 2;
    for (int c = 0; c < 3; c++) {
      int band = drawn.getRaster().getNumBands() == 3 ? c : 0;
      for (int i = 0; i < side * side; i++) {
        int x = i % side;
        int y = i / side;
        int expected = drawn.getRaster().getSample(left + step * x, top + step * y, band);
        assertThat(Math.abs(at(picture, c, x, y) - expected)).isLessThanOrEqualTo(tolerance);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("sizes")
  void everyProcessAndSamplingOfColours(int[] size) {
    var drawn = ImageBytes.image(BufferedImage.TYPE_INT_RGB, size[0], size[1], 3);
    var grey = ImageBytes.image(BufferedImage.TYPE_BYTE_GRAY, size[0], size[1], 4);
    for (byte[] file :
        new byte[][] {
          DrawnJpeg.baseline(drawn, 1, 0), DrawnJpeg.baseline(drawn, 2, 0),
          DrawnJpeg.baseline(drawn, 2, 1), DrawnJpeg.baseline(drawn, 1, 3)
        }) {
      assertDrawn(file, drawn, 5);
      assertDrawn(DrawnJpeg.widened(file, 1), drawn, 5);
    }
    assertDrawn(ImageBytes.progressive(drawn, "jpeg"), drawn, 12);
    assertDrawn(ImageBytes.encoded(grey, "jpeg"), grey, 4);
    assertDrawn(ImageBytes.progressive(grey, "jpeg"), grey, 4);
  }

  @Test
  void theFilesAreOfTheKindsThatTheyAreNamed() {
    var drawn = ImageBytes.image(BufferedImage.TYPE_INT_RGB, 40, 40, 3);
    byte[] halved = DrawnJpeg.baseline(drawn, 2, 1);
    var text = new String(halved, StandardCharsets.ISO_8859_1);
    assertThat(text).contains("\u00ff\u00dd\0\4\0\1").contains("\u00ff\u00d0").contains("\1\42");
    assertThat(new String(DrawnJpeg.baseline(drawn, 1, 0), StandardCharsets.ISO_8859_1))
        .doesNotContain("\u00ff\u00d0")
        .contains("\3\1\u0011\0\2\u0011\1\3\u0011\1");
    assertThat(new String(DrawnJpeg.widened(halved, 1), StandardCharsets.ISO_8859_1))
        .contains("\u00ff\u00db\0\u0083\u0010");
  }

  @Test
  void fourInksAreMultipliedOut() {
    assertColour(ImageBytes.inks(30, 20, 0, 250, 100, 30, 200), 196, 78, 24);
    assertColour(ImageBytes.inks(30, 20, 0, 0, 0, 0, 255), 0, 0, 0);
    assertColour(ImageBytes.inks(30, 20, 0, 255, 255, 255, 255), 255, 255, 255);
    // luma 100 and chromas 140, 200 are 201, 44, 121 of cyan, magenta and yellow
    assertColour(ImageBytes.inks(30, 20, 2, 100, 140, 200, 200), 42, 165, 105);
  }

  private static void assertColour(byte[] file, int... rgb) {
    var picture = picture(file);
    for (int c = 0; c < 3; c++) {
      assertThat(Math.abs(at(picture, c, 9, 9) - rgb[c])).isLessThanOrEqualTo(3);
    }
  }

  /** Tables four times as coarse make the same coefficients four times the contrast. */
  @Test
  void tablesThatNeedSixteenBitsAreTakenInFull() {
    var drawn = new BufferedImage(40, 24, BufferedImage.TYPE_BYTE_GRAY);
    for (int i = 0; i < 40 * 24; i++) {
      drawn.getRaster().setSample(i % 40, i / 40, 0, 100 + i % 40 + i / 40);
    }
    byte[] file = ImageBytes.encoded(drawn, "jpeg");
    var usual = picture(DrawnJpeg.widened(file, 1));
    assertThat(usual.pixels()).isEqualTo(picture(file).pixels());
    for (int times : new int[] {4, 30}) {
      var coarse = picture(DrawnJpeg.widened(file, times));
      for (int i = 0; i < 24 * 24; i++) {
        int expected = 128 + times * ((usual.pixels()[i] & 0xFF) - 128);
        assertThat((coarse.pixels()[i] & 0xFF) - Math.max(0, Math.min(255, expected)))
            .isBetween(-times, times);
      }
    }
  }

  @Test
  void aLosslessJpegComesBackExactly() {
    for (int bits : new int[] {8, 10, 12, 14, 16}) {
      var samples = new int[20][30];
      var random = new Random(bits);
      for (int[] row : samples) {
        Arrays.setAll(row, i -> random.nextInt(1 << bits));
      }
      var picture = picture(DrawnJpeg.lossless(samples, bits));
      for (int i = 0; i < 400; i++) {
        int expected = samples[i / 20][5 + i % 20] >> bits - 8;
        assertThat(at(picture, i % 3, i % 20, i / 20)).isEqualTo(expected);
      }
    }
  }

  @Test
  void aMotionPhotoIsItsPhoto() {
    byte[] motion = DrawnJpeg.joined(PHOTO, DrawnJpeg.film());
    assertThat(DrawnJpeg.scans(motion)).isGreaterThan(100);
    assertThat(picture(motion).pixels()).isEqualTo(picture(PHOTO).pixels());
  }

  @Test
  void previewsAndSecondImagesAreNotTheImage() {
    byte[] preview = ImageBytes.jpeg(16, 12, 9);
    byte[] exif = new byte[60_000];
    System.arraycopy(preview, 0, exif, 100, preview.length);
    for (int i = 5000; i < exif.length - 100; i += 20) {
      exif[i] = (byte) 0xFF;
      exif[i + 1] = (byte) (i % 40 == 0 ? 0xDA : 0xD9);
    }
    byte[] file =
        DrawnJpeg.with(
            PHOTO,
            DrawnJpeg.exifSegment(exif),
            DrawnJpeg.segment(
                0xE2, DrawnJpeg.joined("MPF\0".getBytes(StandardCharsets.ISO_8859_1), exif)),
            DrawnJpeg.segment(0xFE, DrawnJpeg.film()));
    assertThat(DrawnJpeg.scans(file)).isGreaterThan(100);
    assertThat(picture(file).pixels()).isEqualTo(picture(PHOTO).pixels());
    var twice = DrawnJpeg.joined(file, ImageBytes.jpeg(50, 50, 8), new byte[33]);
    assertThat(picture(twice).pixels()).isEqualTo(picture(PHOTO).pixels());
  }

  @Test
  void colourProfilesChangeNoColourAndCanBeBroken() {
    byte[] name = "ICC_PROFILE\0\1\1".getBytes(StandardCharsets.ISO_8859_1);
    var linear = ICC_Profile.getInstance(ColorSpace.CS_LINEAR_RGB);
    for (byte[] profile : new byte[][] {linear.getData(), new byte[200], new byte[0]}) {
      byte[] file = DrawnJpeg.with(PHOTO, DrawnJpeg.segment(0xE2, DrawnJpeg.joined(name, profile)));
      assertThat(picture(file).pixels()).isEqualTo(picture(PHOTO).pixels());
    }
  }

  @Test
  void fillBytesAndForeignSegmentsArePassedOver() {
    byte[] fill = {(byte) 0xFF, (byte) 0xFF, (byte) 0xFF};
    var noise = new byte[3000];
    new Random(1).nextBytes(noise);
    for (int app = 0xE1; app <= 0xEF; app++) {
      if (app != 0xEE) {
        byte[] file = DrawnJpeg.with(PHOTO, DrawnJpeg.segment(app, noise), fill);
        assertThat(picture(file).pixels()).isEqualTo(picture(PHOTO).pixels());
      }
    }
  }

  @Test
  void aSegmentThatIsCutOffIsDamage() {
    byte[] file = DrawnJpeg.with(PHOTO, DrawnJpeg.segment(0xE1, new byte[5000]));
    assertThat(image(Arrays.copyOf(file, 3000)))
        .isEqualTo(new RawImage.Unusable("it", 0, "damaged: the segment at byte 2 is incomplete"));
    assertThat(image(Arrays.copyOf(PHOTO, PHOTO.length - 2)))
        .isEqualTo(new RawImage.Unusable("it", 0, "damaged: Truncated File - Missing EOI marker"));
  }
}
