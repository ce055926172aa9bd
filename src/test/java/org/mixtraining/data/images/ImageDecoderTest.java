package org.mixtraining.data.images;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.mixtraining.data.ImageBytes;

class ImageDecoderTest {
  private static final ImageDecoder DECODER = new ImageDecoder(16, 1 << 20);

  private static Picture picture(byte[] file) {
    var image = DECODER.image("it", 3, file);
    assertThat(image).isInstanceOf(RawImage.Usable.class);
    assertThat(image.label()).isEqualTo(3);
    return ((RawImage.Usable) image).picture();
  }

  private static String reason(byte[] file) {
    var image = DECODER.image("it", 3, file);
    assertThat(image).isInstanceOf(RawImage.Unusable.class);
    return ((RawImage.Unusable) image).reason();
  }

  private static int at(Picture picture, int channel, int x, int y) {
    return picture.pixels()[(channel * picture.height() + y) * picture.width() + x] & 0xFF;
  }

  private static void assertSamples(Picture picture, BufferedImage image, int tolerance) {
    int bands = image.getRaster().getNumBands();
    for (int c = 0; c < 3; c++) {
      for (int y = 0; y < picture.height(); y++) {
        for (int x = 0; x < picture.width(); x++) {
          int expected = image.getRaster().getSample(x, y, bands < 3 ? 0 : c);
          assertThat(Math.abs(at(picture, c, x, y) - expected)).isLessThanOrEqualTo(tolerance);
        }
      }
    }
  }

  @Test
  void aPngComesBackExactlyAndAJpegNearly() {
    var image = ImageBytes.image(BufferedImage.TYPE_INT_RGB, 16, 16, 1);
    assertSamples(picture(ImageBytes.encoded(image, "png")), image, 0);
    assertSamples(picture(ImageBytes.progressive(image, "png")), image, 0);
    assertSamples(picture(ImageBytes.encoded(image, "jpeg")), image, 12);
    assertSamples(picture(ImageBytes.progressive(image, "jpeg")), image, 12);
  }

  @Test
  void aGreyImageBecomesRgbOfTheSameBrightness() {
    var image = ImageBytes.image(BufferedImage.TYPE_BYTE_GRAY, 16, 16, 1);
    assertSamples(picture(ImageBytes.encoded(image, "png")), image, 0);
    assertSamples(picture(ImageBytes.encoded(image, "jpeg")), image, 3);
  }

  @Test
  void sixteenBitsAreCutToEight() {
    var image = new BufferedImage(8, 8, BufferedImage.TYPE_USHORT_GRAY);
    image.getRaster().setSample(2, 5, 0, 0xABCD);
    assertThat(at(picture(ImageBytes.encoded(image, "png")), 1, 2, 5)).isEqualTo(0xAB);
  }

  @Test
  void aPaletteAndTransparencyAreResolved() {
    byte[] ramp = {0, 50, 100, (byte) 150};
    var palette = new IndexColorModel(2, 4, ramp, new byte[] {9, 9, 9, 9}, new byte[4]);
    var indexed = new BufferedImage(8, 8, BufferedImage.TYPE_BYTE_BINARY, palette);
    indexed.getRaster().setSample(1, 1, 0, 3);
    var picture = picture(ImageBytes.encoded(indexed, "png"));
    assertThat(at(picture, 0, 1, 1)).isEqualTo(150);
    assertThat(at(picture, 1, 1, 1)).isEqualTo(9);
    assertThat(at(picture, 2, 1, 1)).isZero();

    var clear = ImageBytes.image(BufferedImage.TYPE_INT_ARGB, 8, 8, 2);
    clear.getRaster().setSample(4, 4, 3, 0);
    assertSamples(picture(ImageBytes.encoded(clear, "png")), clear, 0);
  }

  @Test
  void aJpegOfFourInksIsRead() {
    var picture = picture(ImageBytes.cmyk(16, 16));
    assertThat(at(picture, 0, 8, 8)).as("little cyan: red").isGreaterThan(at(picture, 1, 8, 8));
  }

  @Test
  void ofALargeImageTheCentreSquareIsReadAsMeansOfBlocks() {
    var image = ImageBytes.image(BufferedImage.TYPE_INT_RGB, 400, 200, 4);
    image.getRaster().setPixel(101, 1, new int[] {0, 0, 0});
    for (String format : new String[] {"png", "jpeg"}) {
      var picture = picture(ImageBytes.encoded(image, format));
      // 200 / (4 * 16) = 3, so blocks of 3 x 3, 66 of them a row, from column 101 and row 1
      assertThat(picture.height()).isEqualTo(66);
      assertThat(picture.width()).isEqualTo(66);
      assertThat(Math.abs(at(picture, 0, 65, 65) - image.getRaster().getSample(297, 197, 0)))
          .isLessThan(5);
    }
    int sum = 0;
    for (int i = 0; i < 9; i++) {
      sum += image.getRaster().getSample(101 + i % 3, 1 + i / 3, 2);
    }
    assertThat(at(picture(ImageBytes.encoded(image, "png")), 2, 0, 0))
        .isEqualTo(Math.round(sum / 9f));
  }

  @Test
  void aSinglePixelIsAnImage() {
    var image = ImageBytes.image(BufferedImage.TYPE_INT_RGB, 1, 1, 7);
    var picture = picture(ImageBytes.encoded(image, "png")).scaled(16);
    assertThat(picture.pixels()).hasSize(3 * 256);
    assertThat(at(picture, 1, 9, 3)).isEqualTo(image.getRaster().getSample(0, 0, 1));
    assertThat(picture(ImageBytes.jpeg(1, 1, 7)).pixels()).hasSize(3);
  }

  @Test
  void whatIsNoImageIsToldByItsFirstBytes() {
    assertThat(reason(new byte[0])).isEqualTo("empty: 0 bytes");
    assertThat(reason(new byte[] {1, 2, 3, 'x', -1, 6, 7, 8, 9}))
        .isEqualTo("neither JPEG nor PNG: begins with the bytes 01 02 03 78 ff 06 07 08");
    assertThat(reason(new byte[] {(byte) 0xFF}))
        .isEqualTo("neither JPEG nor PNG: begins with the bytes ff");
  }

  @ParameterizedTest
  @CsvSource({
    "47494638396101000100, GIF",
    "52494646240000005745425056503820, WebP",
    "000000206674797061766966000000006d696631, AVIF",
    "00000018667479706d696631000000006d69663161766966, AVIF",
    "000000186674797068656963000000006d69663168656963, HEIC",
    "00000018667479706d70343200000000, 'a video (MP4, QuickTime)'",
    "49492a0008000000, TIFF or a camera's raw file",
    "4d4d002a00000008, TIFF or a camera's raw file",
    "424d36000c000000000036000000, BMP",
    "ff0a7a11, JPEG XL",
    "0000000c4a584c200d0a870a, JPEG XL",
    "0000000c6a5020200d0a870a, JPEG 2000",
    "3842505300010000, Photoshop's PSD",
    "00000100010010100000, a Windows icon",
    "255044462d312e34, PDF",
    "504b030414000000, a zip archive",
    "1f8b080000000000, gzipped",
    "3c21444f43545950452068746d6c3e, 'SVG, HTML or other XML'",
    "efbbbf3c3f786d6c2076657273696f6e3d22312e30223f3e, 'SVG, HTML or other XML'",
    "76657273696f6e2068747470733a2f2f6769742d6c6673, a Git LFS pointer (`git lfs pull` fetches"
        + " the image)"
  })
  void whatIsSomethingElseIsNamed(String start, String kind) {
    var file = HexFormat.of().parseHex(start);
    assertThat(reason(file)).isEqualTo("neither JPEG nor PNG but " + kind);
  }

  @ParameterizedTest
  @ValueSource(doubles = {0.05, 0.3, 0.5, 0.9, 0.99})
  void aTruncatedImageIsNotCompletedWithGrey(double share) {
    var image = ImageBytes.image(BufferedImage.TYPE_INT_RGB, 64, 64, 5);
    for (byte[] file :
        new byte[][] {
          ImageBytes.encoded(image, "jpeg"),
          ImageBytes.progressive(image, "jpeg"),
          ImageBytes.encoded(image, "png"),
          ImageBytes.progressive(image, "png")
        }) {
      assertThat(reason(Arrays.copyOf(file, (int) (share * file.length))))
          .matches("(damaged|cannot be decoded): .+");
    }
  }

  @Test
  void aFlippedBitOfAPngIsFoundByItsChecksum() {
    byte[] file = ImageBytes.png(64, 64, 5);
    file[file.length / 2] ^= 4;
    assertThat(reason(file)).matches("damaged: the chunk at byte \\d+ has another checksum");
  }

  @Test
  void aSizeThatIsOnlyDeclaredIsNotBelieved() {
    assertThat(reason(ImageBytes.declared(50_000, 50_000)))
        .isEqualTo(
            "declares 50000 x 50000 = 2500000000 pixels, more than mixtraining.data.max-pixels = 1048576");
    assertThat(reason(ImageBytes.declared(Integer.MAX_VALUE, Integer.MAX_VALUE)))
        .startsWith("declares 2147483647 x 2147483647 = 4611686014132420609 pixels");
    assertThat(reason(ImageBytes.declared(100_000, 1)))
        .isEqualTo("declares 100000 x 1 pixels, more than 65535 in a row or column");
    assertThat(reason(ImageBytes.declared(-1, 7))).startsWith("cannot be decoded: ");
    assertThat(reason(ImageBytes.declared(0, 7))).startsWith("cannot be decoded: ");
    assertThat(reason(ImageBytes.declared(1000, 1000))).startsWith("cannot be decoded: ");

    byte[] jpeg = ImageBytes.jpeg(16, 16, 1);
    for (int i = 0; i < jpeg.length - 1; i++) {
      if (jpeg[i] == (byte) 0xFF && jpeg[i + 1] == (byte) 0xC0) { // frame: length, bits, size
        Arrays.fill(jpeg, i + 5, i + 9, (byte) 0xC3);
      }
    }
    assertThat(reason(jpeg)).startsWith("declares 50115 x 50115 = ");
  }

  @Test
  void aJpegOfEndlessScansIsNotDecoded() {
    byte[] jpeg =
        ImageBytes.progressive(ImageBytes.image(BufferedImage.TYPE_INT_RGB, 64, 64, 5), "jpeg");
    int scan = jpeg.length - 2;
    while (jpeg[scan] != (byte) 0xFF || jpeg[scan + 1] != (byte) 0xDA) {
      scan--;
    }
    var out = new ByteArrayOutputStream();
    out.write(jpeg, 0, scan);
    for (int i = 0; i < 1000; i++) {
      out.write(jpeg, scan, jpeg.length - 2 - scan);
    }
    out.write(jpeg, jpeg.length - 2, 2);
    assertThat(reason(out.toByteArray())).matches("has 10\\d\\d scans, more than 100");
  }

  @Test
  void anImageWithoutLabelCannotBeUsed() {
    var image = DECODER.image("it", RawImage.UNLABELLED, ImageBytes.png(4, 4, 1));
    assertThat(image).isEqualTo(new RawImage.Unusable("it", -1, "has no label"));
  }
}
