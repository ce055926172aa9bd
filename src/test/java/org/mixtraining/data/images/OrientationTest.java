package org.mixtraining.data.images;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.mixtraining.data.DrawnJpeg;
import org.mixtraining.data.DrawnPng;
import org.mixtraining.data.ImageBytes;

/** However a camera was held, its images come out upright. */
public class OrientationTest {
  /** Exif with its first directory behind {@code gap} bytes, the orientation its last entry. */
  private static byte[] exif(ByteOrder order, int gap, int type, int orientation) {
    var exif = ByteBuffer.allocate(8 + gap + 2 + 2 * 12 + 4).order(order);
    exif.put((order == ByteOrder.BIG_ENDIAN ? "MM" : "II").getBytes(StandardCharsets.US_ASCII));
    exif.putShort((short) 42).putInt(8 + gap).position(8 + gap);
    exif.putShort((short) 2);
    exif.putShort((short) 0x010F).putShort((short) 2).putInt(4).putInt(0x41424300);
    exif.putShort((short) 0x0112).putShort((short) type).putInt(1);
    switch (type) {
      case 1 -> exif.put((byte) orientation);
      case 4 -> exif.putInt(orientation);
      default -> exif.putShort((short) orientation);
    }
    return exif.array();
  }

  public static byte[] exif(int orientation) {
    return exif(ByteOrder.LITTLE_ENDIAN, 0, 3, orientation);
  }

  /** A letter a pixel, row by row. */
  private static DrawnPng letters(String rows) {
    var samples = Arrays.stream(rows.split("/")).map(row -> row.chars().toArray());
    return new DrawnPng(0, 8, false, rows.indexOf('/'), samples.toArray(int[][]::new), null);
  }

  private static Picture picture(byte[] file, int side) {
    var image = new ImageDecoder(side, 1 << 20).image("it", 0, file);
    assertThat(image).as(image.toString()).isInstanceOf(RawImage.Usable.class);
    return ((RawImage.Usable) image).picture();
  }

  private static String text(Picture picture) {
    var text = new StringBuilder();
    for (int i = 0; i < picture.height() * picture.width(); i++) {
      text.append(i > 0 && i % picture.width() == 0 ? "/" : "").append((char) picture.pixels()[i]);
    }
    return text.toString();
  }

  /** The rows of the upright image abc/def/ghi/jkl are stored as Exif defines each number. */
  @ParameterizedTest
  @CsvSource({
    "1, abc/def/ghi/jkl", // row 0 is the top, column 0 the left side
    "2, cba/fed/ihg/lkj", // the top, the right side
    "3, lkj/ihg/fed/cba", // the bottom, the right side
    "4, jkl/ghi/def/abc", // the bottom, the left side
    "5, adgj/behk/cfil", // the left side, the top
    "6, cfil/behk/adgj", // the right side, the top
    "7, lifc/kheb/jgda", // the right side, the bottom
    "8, jgda/kheb/lifc" // the left side, the bottom
  })
  void eachOrientationIsTurnedUpright(int orientation, String stored) {
    var png = letters(stored);
    byte[] chunk = DrawnPng.chunk("eXIf", exif(orientation));
    assertThat(text(picture(png.file(chunk), 64))).isEqualTo("abc/def/ghi");
    assertThat(text(picture(png.file(), 64))).hasSize(11).startsWith(stored.substring(0, 3));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8})
  void aLargeImageIsCutInTheSamePlaceHoweverItIsStored(int orientation) {
    var upright = DrawnPng.noise(2, 8, false, 151, 80);
    boolean turned = orientation > 4;
    int width = turned ? 80 : 151;
    int height = turned ? 151 : 80;
    var stored = new int[height][3 * width];
    for (int i = 0; i < 3 * 151 * 80; i++) {
      int x = i / 3 % 151;
      int y = i / 3 / 151;
      int row = List.of(y, y, 79 - y, 79 - y, x, 150 - x, 150 - x, x).get(orientation - 1);
      int column = List.of(x, 150 - x, 150 - x, x, y, y, 79 - y, 79 - y).get(orientation - 1);
      stored[row][3 * column + i % 3] = upright.samples()[y][3 * x + i % 3];
    }
    var png = new DrawnPng(2, 8, false, width, stored, null);
    var picture = picture(png.file(DrawnPng.chunk("eXIf", exif(orientation))), 4);
    assertThat(picture.pixels()).isEqualTo(picture(upright.file(), 4).pixels());
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8})
  void aJpegIsTurnedAsAPngIs(int orientation) {
    var drawn = ImageBytes.image(BufferedImage.TYPE_INT_RGB, 48, 32, 5);
    byte[] jpeg = ImageBytes.encoded(drawn, "jpeg");
    byte[] png = ImageBytes.encoded(drawn, "png");
    byte[] chunk = DrawnPng.chunk("eXIf", exif(orientation));
    byte[] turnedPng =
        DrawnJpeg.joined(Arrays.copyOf(png, 33), chunk, Arrays.copyOfRange(png, 33, png.length));
    byte[] expected = picture(turnedPng, 32).pixels();
    for (var order : List.of(ByteOrder.BIG_ENDIAN, ByteOrder.LITTLE_ENDIAN)) {
      for (int type : new int[] {1, 3, 4}) {
        byte[] segment = DrawnJpeg.exifSegment(exif(order, 40, type, orientation));
        byte[] pixels = picture(DrawnJpeg.with(jpeg, segment), 32).pixels();
        for (int i = 0; i < pixels.length; i++) {
          assertThat(Math.abs((pixels[i] & 0xFF) - (expected[i] & 0xFF))).isLessThan(13);
        }
      }
    }
  }

  @Test
  void onlyTheFirstExifCounts() {
    byte[] jpeg = ImageBytes.jpeg(24, 16, 5);
    byte[] once = DrawnJpeg.with(jpeg, DrawnJpeg.exifSegment(exif(6)));
    byte[] twice =
        DrawnJpeg.with(jpeg, DrawnJpeg.exifSegment(exif(6)), DrawnJpeg.exifSegment(exif(3)));
    assertThat(picture(twice, 32).pixels()).isEqualTo(picture(once, 32).pixels());
  }

  @Test
  void exifThatMakesNoSenseLeavesTheImageAsItIs() {
    var broken = new ArrayList<byte[]>();
    for (int orientation : new int[] {0, 9, -1, 255, 0x600}) {
      broken.add(exif(orientation));
    }
    byte[] whole = exif(ByteOrder.BIG_ENDIAN, 0, 3, 6);
    for (int length = 0; length < 8 + 2 + 12 + 10; length++) {
      broken.add(Arrays.copyOf(whole, length));
    }
    broken.add(HexFormat.of().parseHex("4d4d002affffffff"));
    broken.add(HexFormat.of().parseHex("4d4d002a7fffffff"));
    broken.add(HexFormat.of().parseHex("4d4d002a00000000"));
    broken.add(HexFormat.of().parseHex("49492a00080000000000"));
    broken.add(HexFormat.of().parseHex("58582a0008000000010012010300010000000600000000000000"));
    var png = letters("abc/def/ghi");
    byte[] jpeg = ImageBytes.jpeg(24, 16, 5);
    for (byte[] exif : broken) {
      assertThat(text(picture(png.file(DrawnPng.chunk("eXIf", exif)), 64)))
          .as(HexFormat.of().formatHex(exif))
          .isEqualTo("abc/def/ghi");
      assertThat(picture(DrawnJpeg.with(jpeg, DrawnJpeg.exifSegment(exif)), 32).pixels())
          .isEqualTo(picture(jpeg, 32).pixels());
    }
  }
}
