package org.mixtraining.data.sources;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.config.UserException;
import org.mixtraining.data.Note;
import org.mixtraining.data.RawFiles;
import org.mixtraining.data.images.RawImage;

class IdxTest {
  @TempDir Path directory;

  private Source open() {
    return Source.open(RawFiles.configured("idx", directory), RawFiles.spark());
  }

  private List<RawImage> read() throws IOException {
    return RawFiles.read(RawFiles.configured("idx", directory));
  }

  private AbstractThrowableAssert<?, ?> failure() {
    return assertThatThrownBy(this::read).isInstanceOf(UserException.class);
  }

  private String file(String name) {
    return "mixtraining.data.source: file:%s/raw/%s".formatted(directory, name);
  }

  @Test
  void imagesAndLabelsAreReadGzippedOrNot() throws IOException {
    RawFiles.idx(directory, 10, 4);
    var plain = read();
    assertThat(open().channels()).isEqualTo(1);
    assertThat(open().classes()).containsExactly("0", "1", "2");
    assertThat(plain).hasSize(14);
    for (int i = 0; i < 14; i++) {
      var image = (RawImage.Usable) plain.get(i);
      assertThat(image.label()).isEqualTo(i % 3);
      assertThat(image.picture().pixels()).isEqualTo(RawFiles.grey(i));
      assertThat(image.picture().height()).isEqualTo(RawFiles.GREY_SIDE);
    }
    assertThat(plain.get(12).source()).isEqualTo("t10k-images-idx3-ubyte#2");

    for (var file : List.of("train-images-idx3-ubyte", "t10k-labels-idx1-ubyte")) {
      var path = directory.resolve("raw/" + file);
      Files.write(
          directory.resolve("raw/emnist-" + file + ".gz"), RawFiles.gzip(Files.readAllBytes(path)));
      Files.delete(path);
    }
    var gzipped = read();
    for (int i = 0; i < 14; i++) {
      assertThat(((RawImage.Usable) gzipped.get(i)).picture().pixels()).isEqualTo(RawFiles.grey(i));
    }
    assertThat(gzipped.get(9).source()).isEqualTo("emnist-train-images-idx3-ubyte.gz#9");
  }

  @Test
  void missingAndDoubleFilesAreNamed() throws IOException {
    RawFiles.idx(directory, 10, 4);
    Files.copy(
        directory.resolve("raw/train-images-idx3-ubyte"),
        directory.resolve("raw/train-images.idx3-ubyte"));
    failure()
        .hasMessageContaining("has more than one file with images of the train split; expected")
        .hasMessageEndingWith("found [train-images-idx3-ubyte, train-images.idx3-ubyte]");
    Files.delete(directory.resolve("raw/train-labels-idx1-ubyte"));
    failure().hasMessageContaining("has no labels of the train split; expected one with ");
  }

  @Test
  void aHeaderThatDoesNotFitIsTold() throws IOException {
    RawFiles.idx(directory, 10, 4);
    var images = RawFiles.idxImages(0, 10);
    patched("train-images-idx3-ubyte", images, 2, 0x0D);
    failure()
        .hasMessage(
            file("train-images-idx3-ubyte")
                + " begins with 0x00000d03; expected 0x00000803, an IDX file of images");
    patched("train-images-idx3-ubyte", images, 4, 0xFF);
    failure().hasMessageEndingWith("declares 4278190090 in dimension 0; allowed: 1 to 67108864");
    patched("train-images-idx3-ubyte", images, 7, 9);
    failure().hasMessageEndingWith("declares 9 images, but there are 10 labels");
    patched("train-images-idx3-ubyte", images, 11, 0);
    failure().hasMessageEndingWith("declares 0 in dimension 1; allowed: 1 to 65535");
    patched("train-images-idx3-ubyte", images, 10, 0xFF);
    failure().hasMessageContaining(" bytes, but its header declares 10 images of 65288 x 8: ");
    images[10] = (byte) 0xFF;
    patched("train-images-idx3-ubyte", images, 14, 0xFF);
    failure()
        .hasMessageEndingWith(
            "declares images of 65288 x 65288 pixels, more than mixtraining.data.max-pixels = 33554432");
  }

  private void patched(String name, byte[] file, int at, int value) throws IOException {
    byte[] copy = file.clone();
    copy[at] = (byte) value;
    RawFiles.write(directory, name, copy);
  }

  @Test
  void aFileOfTheWrongLengthIsTold() throws IOException {
    RawFiles.idx(directory, 10, 4);
    byte[] labels = Files.readAllBytes(directory.resolve("raw/train-labels-idx1-ubyte"));
    RawFiles.write(directory, "train-labels-idx1-ubyte", Arrays.copyOf(labels, 12));
    failure().hasMessage(file("train-labels-idx1-ubyte") + " is shorter than its header declares");
    RawFiles.write(directory, "train-labels-idx1-ubyte", labels, new byte[1]);
    failure().hasMessage(file("train-labels-idx1-ubyte") + " holds more than its header declares");
    RawFiles.write(directory, "train-labels-idx1-ubyte");
    failure().hasMessage(file("train-labels-idx1-ubyte") + " is shorter than its header declares");
  }

  @Test
  void aDamagedGzipFileIsTold() throws IOException {
    RawFiles.idx(directory, 10, 4);
    byte[] images = Files.readAllBytes(directory.resolve("raw/train-images-idx3-ubyte"));
    Files.delete(directory.resolve("raw/train-images-idx3-ubyte"));
    var name = "train-images-idx3-ubyte.gz";
    byte[] gzipped = RawFiles.gzip(images);
    RawFiles.write(directory, name, images);
    failure().hasMessage(file(name) + " is not a gzip file, or damaged: Not in GZIP format");
    RawFiles.write(directory, name, Arrays.copyOf(gzipped, gzipped.length / 2));
    failure().hasMessage(file(name) + " is shorter than its header declares");
    gzipped[gzipped.length - 6] ^= 1;
    RawFiles.write(directory, name, gzipped);
    failure().hasMessageContaining("is not a gzip file, or damaged: Corrupt GZIP trailer");
    RawFiles.write(directory, name, RawFiles.gzip(Arrays.copyOf(images, images.length + 1)));
    failure().hasMessage(file(name) + " holds more than its header declares");
  }

  @Test
  void otherFilesAreNamed() throws IOException {
    RawFiles.idx(directory, 6, 3);
    RawFiles.write(directory, "emnist-mapping.txt", new byte[3]);
    var source = Source.open(RawFiles.configured("idx", directory), RawFiles.spark());
    assertThat(source.notes())
        .containsExactly(new Note("not of this format, skipped", 1, List.of("emnist-mapping.txt")));
  }
}
