package org.mixtraining.data.sources;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.config.UserException;
import org.mixtraining.data.ImageBytes;
import org.mixtraining.data.Note;
import org.mixtraining.data.Parquet;
import org.mixtraining.data.RawFiles;
import org.mixtraining.data.images.ImageDecoder;
import org.mixtraining.data.images.Picture;
import org.mixtraining.data.images.RawImage;

/** Images to be predicted, from whatever they are kept in. */
class InputsTest {
  private static SparkSession spark;

  @TempDir Path directory;

  @BeforeAll
  static void start() {
    spark = RawFiles.spark();
  }

  private List<Input> read(String below, int channels, String... overrides) {
    return inputs(below, channels, overrides).images().collect();
  }

  private List<Note> notes(String below) {
    return inputs(below, 3).notes();
  }

  private Inputs inputs(String below, int channels, String... overrides) {
    var form = new Input.Form(channels, 8, 1, 1 << 20);
    var path = directory.resolve("raw").resolve(below).toString();
    return Inputs.read(spark, path, RawFiles.configured("folder", directory, overrides), form);
  }

  private void file(String name, byte[] content) throws IOException {
    RawFiles.write(directory, name, content);
  }

  @Test
  void aDirectoryGivesEveryFileAndTheReasonsOfThoseThatCannotBeUsed() throws IOException {
    file("b.png", ImageBytes.png(8, 8, 1));
    file("deep/er/a.jpg", ImageBytes.jpeg(20, 30, 2));
    file("deep/cut.jpg", Arrays.copyOf(ImageBytes.jpeg(20, 30, 2), 300));
    file("notes.txt", "no image".getBytes(StandardCharsets.UTF_8));
    file("empty.png", new byte[0]);
    file(".hidden/c.png", ImageBytes.png(8, 8, 1));
    file("_later/_DSC1.JPG", ImageBytes.jpeg(20, 30, 2));
    Files.createSymbolicLink(directory.resolve("raw/deep/loop"), directory.resolve("raw"));

    var inputs = read("", 3);

    assertThat(inputs)
        .extracting(Input::source)
        .containsExactly("b.png", "empty.png", "_later/_DSC1.JPG", "deep/cut.jpg", "deep/er/a.jpg");
    assertThat(inputs)
        .extracting(i -> i.pixels() == null)
        .containsExactly(false, true, false, true, false);
    assertThat(inputs.get(0).pixels()).hasSize(3 * 8 * 8);
    assertThat(inputs.get(1).error()).isEqualTo("empty: 0 bytes");
    assertThat(inputs.get(3).error()).isNotBlank();
    assertThat(notes(""))
        .containsExactly(
            new Note("hidden, skipped", 1, List.of(".hidden/")),
            new Note("link to a directory above, skipped", 1, List.of("deep/loop/")),
            new Note("not an image, skipped", 1, List.of("notes.txt")));
    assertThat(read("deep/er/a.jpg", 3)).extracting(Input::source).containsExactly("a.jpg");
  }

  @Test
  void pixelsAreThoseThatPrepareMakes() throws IOException {
    byte[] photo = ImageBytes.png(20, 14, 5);
    file("x.png", photo);
    var image = (RawImage.Usable) new ImageDecoder(8, 1 << 20).image("x.png", 0, photo);

    assertThat(read("x.png", 3).get(0).pixels()).isEqualTo(image.picture().scaled(8).pixels());
  }

  @Test
  void coloursBecomeGreyForAModelThatSeesGreyAndTheReverse() throws IOException {
    RawFiles.idx(directory, 3, 2);
    file("red.png", ImageBytes.png(8, 8, 4));
    var colour = read("red.png", 3).get(0).pixels();
    var grey = read("red.png", 1).get(0).pixels();

    int luma = 299 * (colour[0] & 0xFF) + 587 * (colour[64] & 0xFF) + 114 * (colour[128] & 0xFF);
    assertThat(grey).hasSize(64);
    assertThat((grey[0] & 0xFF) * 1000).isBetween(luma - 1000, luma + 1000);
    var digits = read("train-images-idx3-ubyte", 3);
    assertThat(digits).hasSize(3);
    assertThat(digits.get(1).pixels())
        .containsExactly(new Picture(1, 8, 8, RawFiles.grey(1)).in(3).pixels());
  }

  @Test
  void aTableMayHaveHuggingFacesColumnsOrThoseOfBinaryFiles() throws IOException {
    byte[] png = ImageBytes.png(8, 8, 1);
    file(
        "hf.parquet",
        Parquet.table(
            "{}",
            new Parquet.Row(png, "a.png", 1L),
            new Parquet.Row(png, null, null),
            new Parquet.Row(null, "c.png", 0L)));
    file("pictures/one.png", png);
    spark
        .read()
        .format("binaryFile")
        .load(directory + "/raw/pictures")
        .write()
        .parquet(directory + "/raw/binary");

    var rows = read("hf.parquet", 3);
    assertThat(rows).extracting(Input::source).containsExactly("a.png", "hf.parquet#1", "c.png");
    assertThat(rows)
        .extracting(Input::error)
        .containsExactly(null, null, "has no bytes in the table");
    assertThat(read("binary", 3))
        .singleElement()
        .satisfies(
            input -> {
              assertThat(input.source()).endsWith("pictures/one.png");
              assertThat(input.pixels()).isEqualTo(rows.get(0).pixels());
            });
  }

  @Test
  void severalTablesAreReadAndWhatLiesBesideThemIsNamed() throws IOException {
    byte[] png = ImageBytes.png(8, 8, 1);
    var row = new Parquet.Row(png, null, 0L);
    file("_a.parquet", Parquet.table("{}", row));
    file("b/_c.PARQUET", Parquet.table("{}", row, row));
    file("b/_SUCCESS", new byte[0]);
    file("b/_temporary/0/d.parquet", new byte[4]);
    file("e.png", png);

    assertThat(read("", 3))
        .extracting(Input::source)
        .containsExactly("_a.parquet#0", "_c.PARQUET#0", "_c.PARQUET#1");
    assertThat(notes(""))
        .containsExactly(
            new Note("of the system, skipped", 1, List.of("b/_temporary/")),
            new Note("beside the Parquet tables, skipped", 2, List.of("e.png", "b/_SUCCESS")));
  }

  @Test
  void imagesInPlainOrInSeveralColumnsAreFound() throws IOException {
    byte[] png = ImageBytes.png(8, 8, 1);
    file("plain.parquet", Parquet.columns("optional binary img;", "", png));
    file(
        "two.parquet",
        Parquet.columns("optional binary img; optional binary image;", "", png, new byte[1]));

    assertThat(read("plain.parquet", 3)).extracting(Input::error).containsOnlyNulls();
    assertThatThrownBy(() -> read("two.parquet", 3))
        .isInstanceOf(UserException.class)
        .hasMessageEndingWith(
            "raw/two.parquet has images in the columns img and image; choose one with mixtraining.data.image");
    assertThat(read("two.parquet", 3, "data.image=img"))
        .extracting(Input::error)
        .containsOnlyNulls();
    assertThatThrownBy(() -> read("two.parquet", 3, "data.image=photo"))
        .isInstanceOf(UserException.class)
        .hasMessageStartingWith("mixtraining.data.image = photo: ");
  }

  @Test
  void whatHoldsNoImagesIsRefused() throws IOException {
    Files.createDirectories(directory.resolve("raw/empty"));
    file("other.parquet", labels());

    assertThatThrownBy(() -> read("empty", 3))
        .isInstanceOf(UserException.class)
        .hasMessage(directory + "/raw/empty: no images found");
    assertThatThrownBy(() -> read("nowhere", 3))
        .isInstanceOf(UserException.class)
        .hasMessage(directory + "/raw/nowhere: no such file or directory");
    assertThatThrownBy(() -> read("other.parquet", 3))
        .isInstanceOf(UserException.class)
        .hasMessageStartingWith(directory + "/raw/other.parquet has the columns ")
        .hasMessageContaining("expected image: struct<bytes: binary, path: string>");
  }

  private byte[] labels() throws IOException {
    var table = directory.resolve("labels");
    spark.range(2).toDF("label").coalesce(1).write().parquet(table.toString());
    try (var files = Files.list(table)) {
      return Files.readAllBytes(
          files.filter(f -> f.toString().endsWith(".parquet")).findFirst().orElseThrow());
    }
  }
}
