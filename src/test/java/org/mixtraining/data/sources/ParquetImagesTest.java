package org.mixtraining.data.sources;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.config.UserException;
import org.mixtraining.data.ImageBytes;
import org.mixtraining.data.Note;
import org.mixtraining.data.Parquet;
import org.mixtraining.data.RawFiles;
import org.mixtraining.data.Split;
import org.mixtraining.data.images.RawImage;

class ParquetImagesTest {
  @TempDir Path directory;

  private Source open() {
    return Source.open(RawFiles.configured("parquet", directory), RawFiles.spark());
  }

  private List<RawImage> read() throws IOException {
    return RawFiles.read(RawFiles.configured("parquet", directory));
  }

  private AbstractThrowableAssert<?, ?> failure() {
    return assertThatThrownBy(this::read).isInstanceOf(UserException.class);
  }

  private void table(String name, Parquet.Row... rows) throws IOException {
    RawFiles.write(directory, name, Parquet.table(Parquet.CAT_AND_DOG, rows));
  }

  private static Parquet.Row row(int label) {
    return new Parquet.Row(
        ImageBytes.png(8, 8, label), String.format(Locale.ROOT, "img/%d.png", label), (long) label);
  }

  @Test
  void rowsOfEveryRowGroupAreReadWithTheNamesOfTheirClasses() throws IOException {
    var many = new Parquet.Row[250];
    Arrays.setAll(many, i -> row(i % 2));
    table("data/train-00000-of-00002.parquet", many);
    table("data/train-00001-of-00002.parquet", row(0));
    table("data/test-00000-of-00001.parquet", row(1));
    var source = open();
    assertThat(source.classes()).containsExactly("cat", "dog");
    assertThat(source.pieces()).as("row groups").hasSizeGreaterThan(3);
    assertThat(source.has(Split.TEST)).isTrue();
    var images = read();
    assertThat(images).hasSize(252);
    assertThat(images.get(249).source())
        .isEqualTo("data/train-00000-of-00002.parquet#249 img/1.png");
    assertThat(images).extracting(RawImage::label).startsWith(0, 1, 0).endsWith(1, 0, 1);
    assertThat(RawFiles.reasons(images)).isEmpty();
  }

  @Test
  void splitsAreToldByTheNamesOfTablesOrDirectories() throws IOException {
    table("part-0.parquet", row(0));
    table("validation/0000.parquet", row(1));
    assertThat(open().pieces()).extracting(Piece::split).containsExactly(Split.TRAIN, Split.TEST);
    table("test/0000.parquet", row(1));
    table("training.parquet", row(0));
    assertThat(open().pieces())
        .extracting(Piece::split)
        .containsExactly(Split.TRAIN, Split.TRAIN, Split.VALIDATION, Split.TEST);
  }

  @Test
  void withoutNamesTheClassesAreTheLabels() throws IOException {
    RawFiles.write(directory, "a.parquet", Parquet.table("", row(3), row(1)));
    assertThat(open().classes()).containsExactly("0", "1", "2", "3");
  }

  @Test
  void rowsThatCannotBeUsedSayWhy() throws IOException {
    table(
        "train.parquet",
        row(0),
        new Parquet.Row(null, "elsewhere.png", 0L),
        new Parquet.Row(ImageBytes.png(8, 8, 1), null, null),
        new Parquet.Row(ImageBytes.png(8, 8, 1), null, -1L),
        new Parquet.Row(ImageBytes.png(8, 8, 1), null, 1L << 40),
        new Parquet.Row(new byte[0], null, 1L));
    assertThat(RawFiles.reasons(read()))
        .hasSize(5)
        .containsEntry("train.parquet#1 elsewhere.png", "has no bytes in the table")
        .containsEntry("train.parquet#2", "has no label")
        .containsEntry("train.parquet#3", "label is -1, allowed 0 to 1")
        .containsEntry("train.parquet#4", "label is 1099511627776, allowed 0 to 1")
        .containsEntry("train.parquet#5", "empty: 0 bytes");
  }

  @Test
  void trainingImagesWithoutALabelMayBeKept() throws IOException {
    table("train.parquet", row(0), new Parquet.Row(ImageBytes.png(8, 8, 1), null, null), row(1));
    table("test.parquet", row(1), new Parquet.Row(ImageBytes.png(8, 8, 1), null, null));

    var images =
        RawFiles.read(RawFiles.configured("parquet", directory, "data.keep-unlabelled=true"));

    assertThat(images)
        .extracting(RawImage::label)
        .containsExactly(0, RawImage.NONE_NEEDED, 1, 1, RawImage.UNLABELLED);
    assertThat(RawFiles.reasons(images)).containsOnly(Map.entry("test.parquet#1", "has no label"));
  }

  private void columns(String columns, Object... values) throws IOException {
    RawFiles.write(directory, "train.parquet", Parquet.columns(columns, "", values));
  }

  @Test
  void theColumnsOfDatasetHubsAreFound() throws IOException {
    byte[] png = ImageBytes.png(8, 8, 1);
    for (var label : List.of("label", "labels", "fine_label")) {
      columns("optional binary img; optional int64 %s;".formatted(label), png, 1L);
      assertThat(read()).extracting(RawImage::label).as(label).containsExactly(1);
    }
    columns(
        "optional binary img; optional int64 fine_label; optional int64 coarse_label;",
        png,
        3L,
        2L);
    assertThat(open().labelKind()).isEqualTo("fine");
    assertThat(read()).extracting(RawImage::label).containsExactly(3);
    var coarse = RawFiles.configured("parquet", directory, "data.label=coarse");
    assertThat(RawFiles.read(coarse)).extracting(RawImage::label).containsExactly(2);
    assertThat(Source.open(coarse, RawFiles.spark()).labelKind()).isEqualTo("coarse");
    columns("optional binary photo; optional int32 kind;", png);
    failure().hasMessageEndingWith("or mixtraining.data.label to name such a column");
    columns("optional binary photo; optional binary kind (STRING);", png, "x");
    var named = RawFiles.configured("parquet", directory, "data.label=kind");
    assertThat(Source.open(named, RawFiles.spark()).classes()).containsExactly("x");
  }

  @Test
  void columnsThatCouldEitherBeMeantAreNamed() throws IOException {
    byte[] png = ImageBytes.png(8, 8, 1);
    columns("optional binary image; optional int64 label; optional int64 labels;", png, 0L, 1L);
    failure()
        .hasMessageEndingWith(
            "train.parquet has labels in the columns label and labels; choose one with mixtraining.data.label = NAME");
    var named = RawFiles.configured("parquet", directory, "data.label=labels");
    assertThat(RawFiles.read(named)).extracting(RawImage::label).containsExactly(1);
    columns("optional binary image; optional binary img; optional int64 label;", png, png, 1L);
    failure()
        .hasMessageStartingWith("mixtraining.data.source: ")
        .hasMessageEndingWith(
            "has images in the columns image and img; choose one with mixtraining.data.image");
  }

  @Test
  void stringsAreClassesInTheirOrderWhateverFormTheyAreWrittenIn() throws IOException {
    byte[] png = ImageBytes.png(8, 8, 1);
    var columns = "optional binary image; optional binary label (STRING);";
    RawFiles.write(
        directory,
        "train.parquet",
        Parquet.rows(
            columns,
            "",
            List.of(
                new Object[] {png, "dog"},
                new Object[] {png, "cafe\u0301"},
                new Object[] {png, null},
                new Object[] {null, "dog"},
                new Object[] {png, "caf\u00e9"})));
    RawFiles.write(directory, "test.parquet", Parquet.columns(columns, "", png, "ape"));
    assertThat(open().classes()).containsExactly("ape", "caf\u00e9", "dog");
    assertThat(read()).extracting(RawImage::label).containsExactly(2, 1, -1, 2, 1, 0);
    assertThat(RawFiles.reasons(read()))
        .containsOnly(
            Map.entry("train.parquet#2", "has no label"),
            Map.entry("train.parquet#3", "has no image"));
    table("test.parquet", row(1));
    failure().hasMessageEndingWith("have different labels: [label: integer, label: string]");
  }

  @Test
  void labelsOfOneNameAreOneClass() throws IOException {
    var names = Parquet.CAT_AND_DOG.replace("dog", "ape\", \"caf\u00e9\", \"dog\", \"cafe\u0301");
    RawFiles.write(
        directory, "train.parquet", Parquet.table(names, row(4), row(3), row(2), row(1), row(5)));
    RawFiles.write(
        directory, "test.parquet", Parquet.table(names.replace("\u00e9", "e\u0301"), row(2)));

    assertThat(open().classes()).containsExactly("cat", "ape", "caf\u00e9", "dog");
    assertThat(open().notes())
        .containsExactly(
            new Note("one class, though several labels have its name", 1, List.of("caf\u00e9")));
    assertThat(read()).extracting(RawImage::label).containsExactly(2, 3, 2, 1, -1, 2);
    assertThat(RawFiles.reasons(read()))
        .containsOnly(Map.entry("train.parquet#4", "label is 5, allowed 0 to 4"));
  }

  @Test
  void whatIsNoTableIsNamedAndTablesMayBeginWithAnUnderscore() throws IOException {
    table("data/_train.parquet", row(0));
    table("data/deep/er/still/x.parquet", row(1));
    RawFiles.write(directory, "README.md", new byte[3]);
    RawFiles.write(directory, "data/_SUCCESS");
    RawFiles.write(directory, "data/.x.parquet.crc");
    table("_test.parquet", row(1));
    assertThat(open().pieces())
        .extracting(Piece::split)
        .containsExactly(Split.TRAIN, Split.TRAIN, Split.TEST);
    assertThat(open().notes())
        .containsExactly(
            new Note("hidden, skipped", 1, List.of("data/.x.parquet.crc")),
            new Note("not a Parquet table, skipped", 2, List.of("README.md", "data/_SUCCESS")));
  }

  @Test
  void tablesOfAnotherKindAreTold() throws IOException {
    Files.createDirectories(directory.resolve("raw"));
    failure().hasMessageContaining("no *.parquet in ");
    RawFiles.write(directory, "train.parquet", Parquet.otherTable());
    failure()
        .hasMessageContaining("train.parquet has the columns [optional int32 image, ")
        .hasMessageEndingWith("expected image: struct<bytes: binary, path: string> or binary");
    RawFiles.write(directory, "train.parquet", new byte[100]);
    failure().hasMessageContaining("train.parquet is not a Parquet table, or damaged: ");
    table("train.parquet");
    failure().hasMessageContaining("no training images among the tables [train.parquet]");
    table("train.parquet", row(1));
    RawFiles.write(
        directory,
        "test.parquet",
        Parquet.table(Parquet.CAT_AND_DOG.replace("dog", "cow"), row(1)));
    failure().hasMessageContaining("have different class names: 2 and 2 classes");
  }

  @Test
  void impossibleNumbersOfClassesAreTold() throws IOException {
    RawFiles.write(
        directory,
        "train.parquet",
        Parquet.table("", row(0), new Parquet.Row(null, null, 1L << 50)));
    failure()
        .hasMessageContaining("have 1125899906842625 classes according to their class names or");
    RawFiles.write(
        directory,
        "train.parquet",
        Parquet.table("{\"info\": [", new Parquet.Row(null, null, null)));
    failure().hasMessageContaining("have 0 classes according to their class names");
  }
}
