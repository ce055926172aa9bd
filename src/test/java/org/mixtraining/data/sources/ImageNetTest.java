package org.mixtraining.data.sources;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.mixtraining.config.DataConfig;
import org.mixtraining.config.UserException;
import org.mixtraining.data.ImageBytes;
import org.mixtraining.data.Note;
import org.mixtraining.data.RawFiles;
import org.mixtraining.data.Split;
import org.mixtraining.data.images.RawImage;

class ImageNetTest {
  private static final String DATA = "ILSVRC/Data/CLS-LOC/";

  @TempDir Path directory;

  @BeforeEach
  void write() throws IOException {
    text("LOC_synset_mapping.txt", "n02 crane, a bird\nn01 tench, Tinca tinca\nn03 crane\n");
    text(
        "LOC_val_solution.csv",
        "ImageId,PredictionString\nv_2,n01 85 1 499 272 n01 1 2 3 4 \nv_1,n03 1 2 3 4\nv_3,n02 1 1 1 1\n");
    for (String name :
        List.of("train/n01/n01_1", "train/n02/n02_7", "train/n03/n03_1", "val/v_1", "val/v_2")) {
      image(name);
    }
  }

  private void text(String name, String text) throws IOException {
    RawFiles.write(directory, name, text.getBytes(StandardCharsets.UTF_8));
  }

  private void image(String name) throws IOException {
    RawFiles.write(directory, DATA + name + ".JPEG", ImageBytes.jpeg(30, 20, name.length()));
  }

  private DataConfig configured() {
    return RawFiles.configured("imagenet", directory);
  }

  private Source open() {
    return Source.open(configured(), RawFiles.spark());
  }

  private String raw() {
    return "file:" + directory.resolve("raw");
  }

  @Test
  void classesAreThoseOfTheListAndValImagesTheTestSplit() throws IOException {
    assertThat(open().classes()).containsExactly("crane (n02)", "tench", "crane (n03)");
    assertThat(open().has(Split.VALIDATION)).isFalse();
    assertThat(configured().preparation().imageSize()).isEqualTo(224);
    var images = RawFiles.read(configured());
    assertThat(images)
        .extracting(image -> image.source().substring(DATA.length()) + " " + image.label())
        .containsExactly(
            "train/n02/n02_7.JPEG 0",
            "train/n01/n01_1.JPEG 1",
            "train/n03/n03_1.JPEG 2",
            "val/v_1.JPEG 2",
            "val/v_2.JPEG 1",
            "val/v_3.JPEG 0");
    assertThat(((RawImage.Usable) images.get(0)).picture().height()).isEqualTo(20);
  }

  @Test
  void imagesThatAreMissingOrHaveNoLabelAreQuarantinedAndTheRestIsNoted() throws IOException {
    image("val/v_4");
    image("train/n09/n09_1");
    text(DATA + "train/list.txt", "of files");

    var reasons = RawFiles.reasons(RawFiles.read(configured()));
    assertThat(reasons).containsEntry(DATA + "val/v_4.JPEG", "has no label").hasSize(2);
    assertThat(reasons.get(DATA + "val/v_3.JPEG")).startsWith("cannot be opened: missing");
    assertThat(open().notes())
        .containsExactly(
            new Note(
                "beside the labelled images, skipped",
                2,
                List.of(DATA + "train/list.txt", DATA + "train/n09/")));
  }

  @ParameterizedTest
  @ValueSource(strings = {"LOC_synset_mapping.txt", "LOC_val_solution.csv"})
  void aTableThatIsMissingIsNamed(String name) throws IOException {
    Files.delete(directory.resolve("raw/" + name));
    assertRefused(
        "mixtraining.data.source: no %s in %s; expected the directory with LOC_synset_mapping.txt, LOC_val_solution.csv, ILSVRC/Data/CLS-LOC/train and ILSVRC/Data/CLS-LOC/val"
            .formatted(name, raw()));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "v_1,n08 1 2 3 4; \"v_1,n08 1 2 3 4\"",
        "v_1; \"v_1\"",
        "v_1,n01 1 2 3 4\\nv_1,n02 1 2 3 4; \"v_1,n02 1 2 3 4\""
      })
  void anAnnotationThatSaysNothingIsRefused(String lines, String shown) throws IOException {
    text("LOC_val_solution.csv", lines.replace("\\n", "\n"));
    assertRefused(
        "mixtraining.data.source: %s/LOC_val_solution.csv: %s is not an image, comma and WordNet id of LOC_synset_mapping.txt, or the image is a duplicate"
            .formatted(raw(), shown));
  }

  @Test
  void aClassWithoutImagesOrIdIsRefused() throws IOException {
    text("LOC_synset_mapping.txt", "n01 tench\nn05 owl\n");
    text("LOC_val_solution.csv", "v_1,n01 1 2 3 4\n");
    assertRefused(
        "mixtraining.data.source: no ILSVRC/Data/CLS-LOC/train/n05 in %s, which LOC_synset_mapping.txt names"
            .formatted(raw()));

    text("LOC_synset_mapping.txt", "tench\n");
    assertRefused(
        "mixtraining.data.source: %s/LOC_synset_mapping.txt: \"tench\" does not begin with a WordNet id, such as n01440764, or it is a duplicate"
            .formatted(raw()));
  }

  private void assertRefused(String message) {
    assertThatThrownBy(this::open).isInstanceOf(UserException.class).hasMessage(message);
  }
}
