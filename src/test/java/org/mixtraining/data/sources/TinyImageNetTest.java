package org.mixtraining.data.sources;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.config.UserException;
import org.mixtraining.data.ImageBytes;
import org.mixtraining.data.Note;
import org.mixtraining.data.RawFiles;
import org.mixtraining.data.Split;
import org.mixtraining.data.images.RawImage;

class TinyImageNetTest {
  @TempDir Path directory;

  @BeforeEach
  void write() throws IOException {
    RawFiles.tinyImageNet(directory);
  }

  private void text(String name, String text) throws IOException {
    RawFiles.write(directory, name, text.getBytes(StandardCharsets.UTF_8));
  }

  private List<RawImage> read() throws IOException {
    return RawFiles.read(RawFiles.configured("tinyimagenet", directory));
  }

  private AbstractThrowableAssert<?, ?> failure() {
    return assertThatThrownBy(this::read).isInstanceOf(UserException.class);
  }

  @Test
  void theLayoutIsReadAndValIsTheTestSplit() throws IOException {
    var source = Source.open(RawFiles.configured("tinyimagenet", directory), RawFiles.spark());
    assertThat(source.classes()).containsExactly("goldfish", "n02");
    assertThat(source.pieces()).extracting(Piece::split).containsExactly(Split.TRAIN, Split.TEST);
    assertThat(read())
        .extracting(RawImage::source)
        .containsExactly(
            "train/n01/images/n01_0.JPEG",
            "train/n01/images/n01_1.JPEG",
            "train/n02/images/n02_0.JPEG",
            "val/images/val_0.JPEG",
            "val/images/val_1.JPEG");
    assertThat(read()).extracting(RawImage::label).containsExactly(0, 0, 1, 1, 0);
  }

  @Test
  void whatIsNotReadIsNamed() throws IOException {
    RawFiles.write(directory, "test/images/test_0.JPEG", ImageBytes.jpeg(64, 64, 1));
    RawFiles.write(directory, "train/n77/images/n77_0.JPEG", ImageBytes.jpeg(64, 64, 1));
    RawFiles.write(directory, "train/n02/images/Thumbs.db", new byte[8]);
    RawFiles.write(directory, "train/n02/images/.DS_Store", new byte[8]);
    var source = Source.open(RawFiles.configured("tinyimagenet", directory), RawFiles.spark());
    assertThat(source.notes())
        .containsExactly(
            new Note("hidden, skipped", 1, List.of("train/n02/images/.DS_Store")),
            new Note("not an image, skipped", 1, List.of("train/n02/images/Thumbs.db")),
            new Note(
                "beside the labelled images, skipped",
                3,
                List.of("test/", "train/n77/", "train/n01/n01_boxes.txt")));
    assertThat(RawFiles.reasons(read())).isEmpty();
  }

  @Test
  void aGreyJpegBecomesRgb() throws IOException {
    var grey = ImageBytes.image(BufferedImage.TYPE_BYTE_GRAY, 64, 64, 1);
    RawFiles.write(directory, "train/n01/images/n01_0.JPEG", ImageBytes.encoded(grey, "jpeg"));
    var picture = ((RawImage.Usable) read().get(0)).picture();
    assertThat(picture.channels()).isEqualTo(3);
    for (int i = 0; i < 64 * 64; i++) {
      assertThat(picture.pixels()[i]).isEqualTo(picture.pixels()[2 * 64 * 64 + i]);
      int expected = grey.getRaster().getSample(i % 64, i / 64, 0);
      assertThat(Math.abs((picture.pixels()[i] & 0xFF) - expected)).isLessThan(4);
    }
  }

  @Test
  void imagesAndAnnotationsThatDoNotMeetAreUnusable() throws IOException {
    Files.delete(directory.resolve("raw/val/images/val_0.JPEG"));
    RawFiles.write(directory, "val/images/val_7.JPEG", ImageBytes.jpeg(64, 64, 7));
    text("val/val_annotations.txt", "val_0.JPEG\tn02\t0\nval_1.JPEG\tn01\t0\n../../x\tn01\n");
    var reasons = RawFiles.reasons(read());
    assertThat(reasons).hasSize(3).containsEntry("val/images/val_7.JPEG", "has no label");
    assertThat(reasons.get("val/images/val_0.JPEG")).startsWith("cannot be opened: missing");
    assertThat(reasons.get("val/images/../../x")).as("never opened").startsWith("cannot be opened");
  }

  @Test
  void missingPartsAreNamed() throws IOException {
    Files.delete(directory.resolve("raw/wnids.txt"));
    failure()
        .hasMessage(
            "mixtraining.data.source: no wnids.txt in file:%s/raw; expected the directory tiny-imagenet-200 with wnids.txt, train/ and val/"
                .formatted(directory));
    text("wnids.txt", "n01\nn02\nn03\n");
    failure()
        .hasMessage(
            "mixtraining.data.source: no train/n03/images in file:%s/raw, which wnids.txt names"
                .formatted(directory));
  }

  @Test
  void listsThatMakeNoSenseAreTold() throws IOException {
    text("val/val_annotations.txt", "val_0.JPEG n02\n");
    failure()
        .hasMessageContaining(
            "val_annotations.txt: \"val_0.JPEG n02\" is not a file name, tab and");
    text("val/val_annotations.txt", "val_0.JPEG\tn02\nval_0.JPEG\tn01\n");
    failure().hasMessageContaining("or the file is a duplicate");
    for (var wnids : List.of("n01\n../../etc\n", "n01\nn01\n")) {
      text("wnids.txt", wnids);
      failure().hasMessageContaining("wnids.txt, class 1: ");
    }
    text("wnids.txt", "\n");
    failure().hasMessageEndingWith("wnids.txt is empty");
  }
}
