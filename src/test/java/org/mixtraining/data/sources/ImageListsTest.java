package org.mixtraining.data.sources;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.config.UserException;
import org.mixtraining.data.ImageBytes;
import org.mixtraining.data.Parquet;
import org.mixtraining.data.RawFiles;
import org.mixtraining.data.Split;
import org.mixtraining.data.images.RawImage;

class ImageListsTest {
  @TempDir Path directory;

  private void csv(String name, String... lines) throws IOException {
    RawFiles.write(directory, name, String.join("\n", lines).getBytes(StandardCharsets.UTF_8));
  }

  private void image(String name) throws IOException {
    RawFiles.write(directory, name, ImageBytes.png(8, 6, name.hashCode()));
  }

  private Source open(String... settings) {
    return Source.open(RawFiles.configured("csv", directory, settings), RawFiles.spark());
  }

  private List<String> read(String... settings) throws IOException {
    return RawFiles.read(RawFiles.configured("csv", directory, settings)).stream()
        .map(image -> image.source() + " " + image.label())
        .toList();
  }

  private void assertRefused(String message) {
    assertThatThrownBy(this::open)
        .isInstanceOf(UserException.class)
        .hasMessage(message.replace("RAW", "file:" + directory.resolve("raw")));
  }

  @Test
  void everyRowIsAnImageOfTheSplitThatItsFileIsNamedAfter() throws IOException {
    csv(
        "my-train.csv",
        "id,path,label",
        "7,a/1.png,owl",
        "8,\"a/2, too.png\",cat",
        "9,b/1.png,owl");
    csv("my-valid.csv", "label,path", "cat,1.png");
    for (String name : List.of("a/1.png", "a/2, too.png", "b/1.png", "1.png")) {
      image(name);
    }

    assertThat(read()).containsExactly("a/1.png 1", "a/2, too.png 0", "b/1.png 1", "1.png 0");
    assertThat(open().classes()).containsExactly("cat", "owl");
    assertThat(open().has(Split.TEST)).as("there is no other").isTrue();
    assertThat(open().has(Split.VALIDATION)).isFalse();
  }

  @Test
  void parquetTablesListFilesToo() throws IOException {
    String columns =
        "optional binary path (STRING); optional int32 label; optional binary split (STRING);";
    RawFiles.write(
        directory,
        "lists.parquet",
        Parquet.rows(
            columns,
            "",
            List.of(
                new Object[] {"1.png", 4, "train"},
                new Object[] {"2.png", 7, "test"},
                new Object[] {"3.png", null, "train"})));
    for (int i = 1; i < 4; i++) {
      image(i + ".png");
    }

    assertThat(read()).containsExactly("1.png 4", "3.png -1", "2.png 7");
    assertThat(open().classes()).hasSize(8).endsWith("7");
  }

  @Test
  void aTableWithoutTheColumnsIsTold() throws IOException {
    RawFiles.write(
        directory,
        "train.parquet",
        Parquet.rows(
            "optional binary file (STRING); optional int32 label;",
            "",
            List.<Object[]>of(new Object[] {"1.png", 4})));

    assertRefused(
        "mixtraining.data.source: RAW/train.parquet has the columns [file, label]; expected path (mixtraining.data.image) and label (mixtraining.data.label)");
  }

  @Test
  void columnsAndSplitsMayBeNamed() throws IOException {
    csv("all.csv", "file,class,label,split", "1.png,3,x,train", "2.png,0,x,val", "3.png,1,x,Test");
    for (int i = 1; i < 4; i++) {
      image(i + ".png");
    }

    String[] settings = {"data.image=file", "data.label=class"};
    assertThat(read(settings)).containsExactly("1.png 3", "2.png 0", "3.png 1");
    assertThat(open(settings).classes()).containsExactly("0", "1", "2", "3");
    assertThat(open(settings).pieces())
        .extracting(Piece::split)
        .containsExactly(Split.TRAIN, Split.VALIDATION, Split.TEST);
    assertThat(open(settings).labelKind()).isEqualTo("class");
  }

  @Test
  void missingDoubledAndUnlabelledFilesAreQuarantined() throws IOException {
    csv(
        "train.csv",
        "path,label",
        "a/1.png,0",
        "a/gone.png,0",
        "none/1.png,0",
        "a/2.png,1",
        "a/2.png,0",
        "a/3.png,");
    for (int i = 1; i < 4; i++) {
      image("a/" + i + ".png");
    }

    List<RawImage> images = RawFiles.read(RawFiles.configured("csv", directory));
    assertThat(images).hasSize(5);
    assertThat(RawFiles.reasons(images))
        .hasSize(4)
        .containsEntry("a/2.png", "is listed more than once")
        .containsEntry("a/3.png", "has no label")
        .hasEntrySatisfying("a/gone.png", why -> assertThat(why).startsWith("cannot be opened"))
        .hasEntrySatisfying("none/1.png", why -> assertThat(why).startsWith("cannot be opened"));
  }

  @Test
  void aListWithoutItsColumnsIsRefused() throws IOException {
    csv("train.csv", "file,label", "1.png,0");
    assertRefused(
        "mixtraining.data.source: RAW/train.csv has the columns [file, label]; expected path (mixtraining.data.image) and label (mixtraining.data.label)");

    csv("train.csv", "");
    assertRefused(
        "mixtraining.data.source: RAW/train.csv has the columns []; expected path (mixtraining.data.image) and label (mixtraining.data.label)");
  }

  @Test
  void rowsThatSayNothingAreRefused() throws IOException {
    csv("train.csv", "path,label", "1.png,0", ",1");
    assertRefused("mixtraining.data.source: RAW/train.csv, row 2: no path");

    csv("train.csv", "path,label,split", "1.png,0,some");
    assertRefused(
        "mixtraining.data.source: RAW/train.csv: split = some: must be train, validation or test");

    csv("train.csv", "path,label", "1.png," + "x".repeat(5000));
    assertRefused("mixtraining.data.source: RAW/train.csv is no CSV file: line 2");
  }

  @Test
  void aSourceWithoutTrainingImagesIsRefused() throws IOException {
    csv("test.csv", "path,label", "1.png,0");
    assertRefused(
        "mixtraining.data.source: no *.csv or *.parquet of RAW lists a training image; expected one with *.csv or *.parquet files with the columns path and label");

    csv("train.csv", "path,label", "1.png,");
    csv("test.csv", "path,label", "1.png,");
    assertRefused(
        "mixtraining.data.source: the labels of RAW are of 0 classes; allowed: 1 to 100000");
  }
}
