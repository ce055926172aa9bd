package org.mixtraining.data.sources;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.config.UserException;
import org.mixtraining.data.ImageBytes;
import org.mixtraining.data.RawFiles;
import org.mixtraining.data.Split;
import org.mixtraining.data.images.RawImage;

/** Training images without a label, with {@code data.keep-unlabelled} and without. */
class WithoutLabelTest {
  private static final String KEPT = "data.keep-unlabelled=true";

  @TempDir Path directory;

  private void png(String... names) throws IOException {
    for (var name : names) {
      RawFiles.write(directory, name, ImageBytes.png(8, 6, name.hashCode()));
    }
  }

  private Source open(String format, String... settings) {
    return Source.open(RawFiles.configured(format, directory, settings), RawFiles.spark());
  }

  private List<String> read(String format, String... settings) throws IOException {
    return RawFiles.read(RawFiles.configured(format, directory, settings)).stream()
        .map(image -> image.source() + " " + image.label())
        .toList();
  }

  private void assertRefused(String message, String... settings) {
    assertThatThrownBy(() -> open("folder", settings))
        .isInstanceOf(UserException.class)
        .hasMessage(message.replace("RAW", "file:" + directory.resolve("raw")));
  }

  @Test
  void aFolderMayHaveADirectoryOfThemBesideItsClasses() throws IOException {
    png("cat/1.png", "zebra/2.png", "unlabelled/3.png", "unlabelled/2023/june/4.png");

    assertThat(open("folder", KEPT).classes()).containsExactly("cat", "zebra");
    assertThat(open("folder", KEPT).pieces()).extracting(Piece::split).containsOnly(Split.TRAIN);
    assertThat(read("folder", KEPT))
        .containsExactly(
            "cat/1.png 0",
            "zebra/2.png 1",
            "unlabelled/3.png " + RawImage.NONE_NEEDED,
            "unlabelled/2023/june/4.png " + RawImage.NONE_NEEDED);
  }

  @Test
  void aFolderMayHaveADirectoryOfThemBesideItsSplits() throws IOException {
    png("train/cat/1.png", "test/cat/2.png", "unlabeled/3.png");

    assertThat(read("folder", KEPT))
        .containsExactly(
            "train/cat/1.png 0", "unlabeled/3.png " + RawImage.NONE_NEEDED, "test/cat/2.png 0");
  }

  @Test
  void aDirectoryOfThemIsNoClassAndNotMissed() throws IOException {
    png("cat/1.png", "unlabelled/2.png");
    assertRefused(
        "mixtraining.data.source: RAW holds unlabelled/: set mixtraining.data.keep-unlabelled = true to train on its images without a label, or rename it");
  }

  @Test
  void aFolderWithoutADirectoryOfThemIsTold() throws IOException {
    png("cat/1.png");
    assertRefused(
        "mixtraining.data.keep-unlabelled = true: RAW holds no directory unlabelled/", KEPT);
  }

  @Test
  void rowsOfAListMayHaveNoLabel() throws IOException {
    png("1.png", "2.png", "3.png");
    var list = "path,label,split\n1.png,owl,train\n2.png,,train\n3.png,,test\n";
    RawFiles.write(directory, "all.csv", list.getBytes(StandardCharsets.UTF_8));

    assertThat(read("csv", KEPT))
        .containsExactly("1.png 0", "2.png " + RawImage.NONE_NEEDED, "3.png -1");
    assertThat(RawFiles.reasons(RawFiles.read(RawFiles.configured("csv", directory, KEPT))))
        .isEqualTo(Map.of("3.png", "has no label"));
  }

  @Test
  void samplesOfAWebDatasetMayHaveNoLabel() throws IOException {
    var tar =
        WebDatasetTest.tar(
            WebDatasetTest.png("a.png"),
            WebDatasetTest.text("a.cls", "0"),
            WebDatasetTest.png("b.png"));
    RawFiles.write(directory, "train.tar", tar);

    assertThat(read("webdataset", KEPT))
        .containsExactly("train.tar: a 0", "train.tar: b " + RawImage.NONE_NEEDED);
    assertThat(read("webdataset")).containsExactly("train.tar: a 0", "train.tar: b -1");
  }
}
