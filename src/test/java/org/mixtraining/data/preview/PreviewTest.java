package org.mixtraining.data.preview;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.UserException;
import org.mixtraining.data.ImageBytes;
import org.mixtraining.data.RawFiles;
import org.mixtraining.data.Split;
import org.mixtraining.data.prepare.Prepare;
import org.mixtraining.data.preview.ContactSheet.Cell;
import org.mixtraining.data.preview.ContactSheet.Column;
import org.mixtraining.data.preview.ContactSheet.Group;

class PreviewTest {
  private static final Configuration HADOOP = new Configuration();

  @TempDir static Path common;

  @TempDir Path directory;

  @BeforeAll
  static void prepare() {
    var data = config().data();
    Prepare.run(RawFiles.spark(), data, Prepare.Existing.REFUSE, line -> {});
  }

  private static JobConfig config(String... overrides) {
    var all =
        new ArrayList<>(
            List.of(
                "data.path=" + common.resolve("synthetic"),
                "data.synthetic.train=100",
                "data.synthetic.test=10",
                "data.shards=2"));
    all.addAll(List.of(overrides));
    return JobConfig.load(Optional.empty(), all);
  }

  private ContactSheet sheet(String... overrides) {
    return new Preview(config(overrides), directory.resolve("a.png")).sheet(HADOOP);
  }

  @Test
  void eachImageStandsBesideItsOwnAugmentations() {
    var plain =
        sheet(
            "augment.ssl.crop-padding=0",
            "augment.ssl.flip=false",
            "augment.sl.crop-padding=0",
            "augment.sl.flip=false");

    assertThat(plain.groups())
        .extracting(Group::title)
        .containsExactly("original", "SSL epochs", "SL and JOINT epochs");
    List<Cell> originals = plain.groups().get(0).columns().get(0).cells();
    assertThat(originals).hasSize(8).extracting(Cell::caption).doesNotHaveDuplicates();
    for (Group group : plain.groups()) {
      for (Column column : group.columns()) {
        assertThat(column.cells()).hasSize(8);
        for (int row = 0; row < 8; row++) {
          Cell cell = column.cells().get(row);
          assertThat(cell.pixels()).isEqualTo(originals.get(row).pixels());
          if (!group.title().equals("SSL epochs")) {
            assertThat(cell.caption()).isEqualTo(originals.get(row).caption());
          }
        }
      }
    }
  }

  @Test
  void everyEpochIsAnotherDraw() {
    var columns = sheet("augment.sl.rand-augment.ops=2").groups().get(2).columns();

    assertThat(columns)
        .extracting(Column::title)
        .containsExactly("epoch 5", "epoch 6", "epoch 7", "epoch 8");
    assertThat(columns.get(0).cells().get(0).pixels())
        .isNotEqualTo(columns.get(1).cells().get(0).pixels());
  }

  @Test
  void optionsAndMixedLabelsAreWritten() {
    var groups =
        sheet(
                "augment.ssl.random-resized-crop.scale=[0.2, 1]",
                "augment.sl.crop-padding=0",
                "augment.sl.rand-augment.ops=2",
                "augment.mixup=0.8")
            .groups();

    assertThat(groups.get(1).detail())
        .isEqualTo("random-resized-crop 0.2 to 1, crop-padding 4, flip");
    assertThat(groups.get(2).title()).isEqualTo("SL epochs; JOINT epochs likewise, but unmixed");
    assertThat(groups.get(2).detail()).isEqualTo("flip, rand-augment 2 x 9, mixup 0.8");
    assertThat(groups.get(2).columns().get(0).cells())
        .extracting(Cell::caption)
        .anySatisfy(
            caption ->
                assertThat(caption)
                    .hasSize(2)
                    .allSatisfy(line -> assertThat(line).matches("\\d+ % \\w+")));
  }

  @Test
  void erasingAndCutmixAreShownAsTheyAreTrainedOn() {
    String[] plain = {"augment.sl.crop-padding=0", "augment.sl.flip=false"};
    List<Cell> originals = sheet(plain).groups().get(2).columns().get(0).cells();

    Group erased = sheet(with(plain, "augment.sl.random-erasing=1")).groups().get(2);
    Group cut = sheet(with(plain, "augment.cutmix=1")).groups().get(2);

    assertThat(erased.detail()).isEqualTo("random-erasing 1");
    for (int row = 0; row < 8; row++) {
      assertThat(sameShare(erased.columns().get(0).cells().get(row), originals.get(row)))
          .as("an erased rectangle leaves the rest")
          .isBetween(0.5, 0.99);
    }
    assertThat(cut.detail()).isEqualTo("as they are, cutmix 1");
    for (int row = 0; row < 8; row++) {
      Cell cell = cut.columns().get(0).cells().get(row);
      String name = originals.get(row).caption().get(0);
      double own =
          cell.caption().stream()
              .filter(line -> line.endsWith(name))
              .mapToDouble(line -> line.contains("%") ? share(line) : 1)
              .sum();
      assertThat(sameShare(cell, originals.get(row)))
          .as("a pasted rectangle is worth its share of the label")
          .isGreaterThanOrEqualTo(own - 0.01);
    }
  }

  private static double share(String line) {
    return Integer.parseInt(line.substring(0, line.indexOf(' '))) / 100.0;
  }

  private static double sameShare(Cell a, Cell b) {
    return IntStream.range(0, a.pixels().length).filter(i -> a.pixels()[i] == b.pixels()[i]).count()
        / (double) a.pixels().length;
  }

  private static String[] with(String[] settings, String one) {
    List<String> all = new ArrayList<>(List.of(settings));
    all.add(one);
    return all.toArray(String[]::new);
  }

  @Test
  void aDatasetForTheSslObjectiveIsShownWhereItIsTrainedOn() {
    String other = common.resolve("other").toString();
    Prepare.run(
        RawFiles.spark(),
        config("data.path=" + other, "data.seed=7").data(),
        Prepare.Existing.REFUSE,
        line -> {});
    String[] plain = {
      "augment.ssl.crop-padding=0",
      "augment.ssl.flip=false",
      "augment.sl.crop-padding=0",
      "augment.sl.flip=false",
      "data.ssl=" + other
    };

    var groups = sheet(with(plain, "mix.lambda=0.75")).groups();

    assertThat(groups)
        .extracting(Group::title)
        .containsExactly("original", "SL epochs", "JOINT epochs", "data.ssl", "SSL epochs");
    assertThat(groups.get(2).detail())
        .isEqualTo(
            "as they are; mixtraining.mix.lambda = 0.75, so each is 25 % of mixtraining.data.ssl");
    List<Cell> own = groups.get(0).columns().get(0).cells();
    List<Cell> others = groups.get(3).columns().get(0).cells();
    assertThat(groups.get(1).columns().get(0).cells())
        .extracting(Cell::pixels)
        .containsExactlyElementsOf(own.stream().map(Cell::pixels).toList());
    assertThat(groups.get(4).columns().get(0).cells())
        .extracting(Cell::pixels)
        .containsExactlyElementsOf(others.stream().map(Cell::pixels).toList());
    Cell joint = groups.get(2).columns().get(0).cells().get(0);
    assertThat(joint.caption()).isEqualTo(own.get(0).caption());
    assertThat(joint.pixels()).isNotEqualTo(own.get(0).pixels());
    assertThat(sheet(with(plain, "mix.lambda=1")).groups().get(2).columns().get(0).cells())
        .extracting(Cell::pixels)
        .containsExactlyElementsOf(own.stream().map(Cell::pixels).toList());
  }

  @Test
  void keysThatTheShardsWereNotMadeByAreRefused() {
    var preview =
        new Preview(config("data.format=folder", "data.source=photos"), directory.resolve("a.png"));

    assertThatThrownBy(() -> preview.write(HADOOP))
        .isInstanceOf(UserException.class)
        .hasMessageStartingWith(
            "mixtraining.data.format = folder: the dataset at mixtraining.data.path = ")
        .hasMessageContaining("was prepared with synthetic");
    assertThat(directory.resolve("a.png")).doesNotExist();
  }

  @Test
  void thePngShowsEveryPixelEnlarged() throws IOException {
    Path file = directory.resolve("sheet.png");
    var preview = new Preview(config(), file);

    preview.write(HADOOP);

    BufferedImage png = ImageIO.read(file.toFile());
    byte[] first = preview.sheet(HADOOP).groups().get(0).columns().get(0).cells().get(0).pixels();
    int top = 0;
    while (png.getRGB(24, top) != color(first, 0) || png.getRGB(27, top + 3) != color(first, 0)) {
      top++;
    }
    for (int i = 0; i < 1024; i++) {
      int x = 24 + i % 32 * 4;
      int y = top + i / 32 * 4;
      assertThat(png.getRGB(x, y)).isEqualTo(color(first, i));
      assertThat(png.getRGB(x + 3, y + 3)).isEqualTo(color(first, i));
    }
  }

  private static int color(byte[] pixels, int i) {
    return 0xFF << 24
        | (pixels[i] & 0xFF) << 16
        | (pixels[1024 + i] & 0xFF) << 8
        | pixels[2048 + i] & 0xFF;
  }

  @Test
  void aPlaceThatCannotBeWrittenIsRefusedAtOnce() {
    Path file = directory.resolve("absent/sheet.png");

    assertThatThrownBy(() -> new Preview(config(), file))
        .isInstanceOf(UserException.class)
        .hasMessage("--preview " + file + ": must be a file in a directory that exists");
    assertThatThrownBy(() -> new Preview(config(), directory)).isInstanceOf(UserException.class);
  }

  @Test
  void withoutADatasetNothingIsWritten() {
    Path file = directory.resolve("sheet.png");
    var preview = new Preview(config("data.path=" + directory.resolve("absent")), file);

    assertThatThrownBy(() -> preview.write(HADOOP))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("no prepared dataset");
    assertThat(Files.exists(file)).isFalse();
  }

  /** Images of the smallest classes have the quantile 0.5, and few images leave shards empty. */
  @ParameterizedTest
  @CsvSource({"130, 1", "2, 8", "1, 7"})
  void imagesAreFoundHoweverFewAClassOrAShardHas(int classes, int shards) throws IOException {
    for (int c = 0; c < classes; c++) {
      for (int i = 0; i < 8; i++) {
        RawFiles.write(directory, "c" + c + "/" + i + ".png", ImageBytes.png(8, 8, 8 * c + i));
      }
    }
    var data =
        RawFiles.configured(
            "folder",
            directory,
            "data.path=" + directory.resolve("prepared"),
            "data.image-size=8",
            "data.test=0.125",
            "data.validation=0",
            "workers.count=1",
            "data.shards=" + shards);
    var manifest = Prepare.run(RawFiles.spark(), data, Prepare.Existing.REFUSE, line -> {});

    assertThat(manifest.images(Split.TEST)).isEqualTo(classes);
    assertThat(new Completions(HADOOP, data.path(), manifest).images().size())
        .isEqualTo(Math.min(classes, 8));
  }
}
