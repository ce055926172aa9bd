package org.mixtraining.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.TreeMap;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mixtraining.config.DataConfig;
import org.mixtraining.config.UserException;
import org.mixtraining.data.images.ImageDecoder;
import org.mixtraining.data.images.OrientationTest;
import org.mixtraining.data.images.RawImage;

/**
 * Damaged files of every format, thousands of seeded cases: each ends in images, reasons why there
 * are none, or a message for the user, in bounded time.
 */
class FuzzTest {
  private static final Duration LONG_ENOUGH = Duration.ofMinutes(2);

  @TempDir Path directory;

  /** A copy with one kind of damage. */
  private static byte[] damaged(byte[] file, Random random) {
    if (file.length == 0) {
      return new byte[random.nextInt(5)];
    }
    byte[] copy = file.clone();
    int at = random.nextInt(file.length);
    int length = Math.min(1 + random.nextInt(8), file.length - at);
    switch (random.nextInt(7)) {
      case 0 -> copy = Arrays.copyOf(file, at);
      case 1 -> copy = Arrays.copyOf(file, file.length + 1 + random.nextInt(100));
      case 2 -> Arrays.fill(copy, at, at + length, (byte) 0xFF);
      case 3 -> Arrays.fill(copy, at, at + length, (byte) 0);
      case 4 -> System.arraycopy(file, random.nextInt(file.length - length + 1), copy, at, length);
      case 5 -> { // in the header
        int byteOfHeader = random.nextInt(Math.min(32, file.length));
        copy[byteOfHeader] = (byte) random.nextInt(256);
      }
      default -> {
        for (int flips = random.nextInt(20); flips >= 0; flips--) {
          copy[random.nextInt(file.length)] ^= (byte) (1 << random.nextInt(8));
        }
      }
    }
    return copy;
  }

  @Test
  void aDamagedImageIsAPictureOrHasAReason() {
    var rgb = ImageBytes.image(BufferedImage.TYPE_INT_RGB, 24, 20, 1);
    var grey = ImageBytes.image(BufferedImage.TYPE_BYTE_GRAY, 24, 20, 2);
    byte[] exif = OrientationTest.exif(6);
    var files =
        List.of(
            ImageBytes.encoded(rgb, "jpeg"),
            ImageBytes.progressive(rgb, "jpeg"),
            ImageBytes.encoded(grey, "jpeg"),
            ImageBytes.cmyk(24, 20),
            ImageBytes.jpeg(1, 1, 3),
            DrawnJpeg.joined(
                DrawnJpeg.with(
                    DrawnJpeg.widened(ImageBytes.jpeg(24, 20, 4), 2), DrawnJpeg.exifSegment(exif)),
                DrawnJpeg.film()),
            DrawnJpeg.lossless(new int[20][24], 12),
            ImageBytes.encoded(rgb, "png"),
            ImageBytes.progressive(rgb, "png"),
            ImageBytes.encoded(grey, "png"),
            ImageBytes.png(1, 1, 3),
            DrawnPng.noise(4, 16, true, 24, 20).file(DrawnPng.chunk("eXIf", exif)),
            DrawnPng.noise(3, 2, false, 24, 20).file(DrawnPng.chunk("tRNS", new byte[4])),
            new byte[0]);
    var decoder = new ImageDecoder(8, 1 << 16);
    var random = new Random(1);
    var ends = new TreeMap<String, Integer>();
    assertTimeoutPreemptively(
        LONG_ENOUGH,
        () -> {
          for (int i = 0; i < 5000; i++) {
            byte[] file = damaged(files.get(i % files.size()), random);
            if (i % 2 == 0 && i % files.size() > 6) {
              mendChecksums(file); // so that the damage gets beyond them
            }
            ends.merge(end(decoder.image("case " + i, 0, file)), 1, Integer::sum);
          }
        });
    assertThat(ends.keySet()).contains("picture", "damaged", "cannot be decoded", "declares");
  }

  private static String end(RawImage image) {
    if (image instanceof RawImage.Usable usable) {
      var scaled = usable.picture().scaled(8);
      assertThat(scaled.pixels()).hasSize(scaled.channels() * 64);
      return "picture";
    }
    var reason = ((RawImage.Unusable) image).reason();
    assertThat(reason).isNotBlank().hasSizeLessThan(300).doesNotContain("\n");
    return reason.replaceFirst("(:| \\d).*", "");
  }

  private static void mendChecksums(byte[] png) {
    var file = ByteBuffer.wrap(png);
    for (int at = 8; at + 12 <= png.length; ) {
      int length = file.getInt(at);
      if (length < 0 || length > png.length - at - 12) {
        return;
      }
      var checksum = new CRC32();
      checksum.update(png, at + 4, length + 4);
      file.putInt(at + 8 + length, (int) checksum.getValue());
      at += 12 + length;
    }
  }

  @ParameterizedTest
  @CsvSource({
    "cifar10, 300",
    "cifar100, 200",
    "idx, 600",
    "folder, 400",
    "tinyimagenet, 300",
    "parquet, 600"
  })
  void aDamagedSourceGivesImagesOrReasonsOrAMessage(String format, int cases) throws IOException {
    var whole = new TreeMap<String, byte[]>();
    write(format);
    var raw = directory.resolve("raw");
    try (var files = Files.walk(raw)) {
      for (var file : files.filter(Files::isRegularFile).toList()) {
        whole.put(raw.relativize(file).toString(), Files.readAllBytes(file));
      }
    }
    var names = List.copyOf(whole.keySet());
    var data = RawFiles.configured(format, directory);
    var random = new Random(2);
    assertTimeoutPreemptively(
        LONG_ENOUGH,
        () -> {
          for (int i = 0; i < cases; i++) {
            var name = names.get(i % names.size());
            byte[] damaged = damaged(whole.get(name), random);
            Files.write(raw.resolve(name), damaged);
            assertEndsWell(data, String.format(Locale.ROOT, "%s, case %d: %s", format, i, name));
            Files.write(raw.resolve(name), whole.get(name));
          }
        });
    assertThat(RawFiles.reasons(RawFiles.read(data))).isEmpty();
  }

  private static void assertEndsWell(DataConfig data, String what) throws IOException {
    try {
      for (var image : RawFiles.read(data)) {
        assertThat(image.source()).as(what).isNotBlank();
        end(image);
      }
    } catch (UserException e) {
      assertThat(e.getMessage())
          .as(what)
          .startsWith("mixtraining.data.source")
          .doesNotContain("\n");
    } catch (RuntimeException e) {
      throw new AssertionError(what, e);
    }
  }

  private void write(String format) throws IOException {
    switch (format) {
      case "cifar10" -> {
        RawFiles.cifar10(directory, 3, 1);
        RawFiles.write(
            directory,
            "batches.meta.txt",
            "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n".getBytes(StandardCharsets.UTF_8));
      }
      case "cifar100" -> {
        RawFiles.write(directory, "train.bin", RawFiles.cifar100(1, 2, 3));
        RawFiles.write(directory, "test.bin", RawFiles.cifar100(4, 5, 6));
      }
      case "idx" -> {
        RawFiles.idx(directory, 5, 2);
        var images = directory.resolve("raw/t10k-images-idx3-ubyte");
        RawFiles.write(
            directory, "t10k-images-idx3-ubyte.gz", RawFiles.gzip(Files.readAllBytes(images)));
        Files.delete(images);
      }
      case "folder" -> {
        RawFiles.write(directory, "cat/1.png", ImageBytes.png(6, 5, 1));
        RawFiles.write(directory, "dog/2.jpg", ImageBytes.jpeg(6, 5, 1));
      }
      case "tinyimagenet" -> RawFiles.tinyImageNet(directory);
      default -> {
        var cat = new Parquet.Row(ImageBytes.png(6, 5, 1), "1.png", 0L);
        var dog = new Parquet.Row(ImageBytes.png(6, 5, 2), "2.png", 1L);
        RawFiles.write(directory, "train.parquet", Parquet.table(Parquet.CAT_AND_DOG, cat, dog));
        RawFiles.write(directory, "test.parquet", Parquet.table("", dog));
      }
    }
  }
}
