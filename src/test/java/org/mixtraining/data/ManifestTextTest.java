package org.mixtraining.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mixtraining.config.UserException;
import org.mixtraining.data.DatasetManifest.Contents;

/** Manifests that people edited, or that another version wrote. */
class ManifestTextTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  static final DatasetManifest WHOLE =
      manifest(
          List.of("cat", "dog"),
          Map.of(
              Split.TRAIN, Contents.of(List.of(4L, 5L), 0),
              Split.VALIDATION, Contents.of(List.of(0L, 0L), 0),
              Split.TEST, Contents.of(List.of(1L, 0L), 0)),
          List.of(new Note("hidden, skipped", 1, List.of(".x"))));

  /** Of a folder of small images. */
  static DatasetManifest manifest(
      List<String> classes, Map<Split, Contents> splits, List<Note> notes) {
    return new DatasetManifest(
        "folder",
        "label",
        classes,
        3,
        8,
        8,
        2,
        1,
        7,
        0.1,
        splits,
        0,
        new Normalization(List.of(0.5, 0.5, 0.5), List.of(0.2, 0.2, 0.2)),
        "f",
        100,
        notes);
  }

  private static ObjectNode json() {
    try {
      return (ObjectNode) JSON.readTree(WHOLE.json());
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static DatasetManifest parse(String text) throws IOException {
    return ManifestText.parse(text.getBytes(StandardCharsets.UTF_8));
  }

  private static void assertRefused(String text, String why) {
    assertThatThrownBy(() -> parse(text))
        .as(text)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(why);
  }

  @Test
  void whatIsWrittenIsReadAndOlderFilesLackSomeFields() throws IOException {
    assertThat(parse(WHOLE.json())).isEqualTo(WHOLE);
    var old = parse(json().without(List.of("dealing", "notes")).toString());
    assertThat(old.dealing()).isZero();
    assertThat(old.notes()).isEmpty();
  }

  @Test
  void everyOtherFieldIsNamedWhereItIsMissingOrNull() {
    for (var field : DatasetManifest.class.getRecordComponents()) {
      if (!List.of("dealing", "notes").contains(field.getName())) {
        var why = "it has no field " + field.getName();
        assertRefused(json().without(field.getName()).toString(), why);
        assertRefused(json().putNull(field.getName()).toString(), why);
      }
    }
    for (var field : List.of("splits/train", "splits/test/histogram", "normalization/std")) {
      var json = json();
      int last = field.lastIndexOf('/');
      ((ObjectNode) json.at("/" + field.substring(0, last))).remove(field.substring(last + 1));
      assertRefused(json.toString(), "it has no field " + field.replace('/', '.'));
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '!',
      value = {
        "height | \"8\" | its field height cannot be \"8\"",
        "height | 8.5 | its field height cannot be 8.5",
        "height | 99999999999 | its field height cannot be 99999999999",
        "width | 0 | its field width cannot be 0",
        "channels | 2 | its field channels cannot be 2",
        "shards | -1 | its field shards cannot be -1",
        "dealing | 99 | its field dealing cannot be 99",
        "validation | 1.0 | its field validation cannot be 1.0",
        "format | 7 | its field format cannot be 7",
        "classes | \"cat\" | its field classes cannot be \"cat\"",
        "classes | [] | its field classes cannot be []",
        "classes | [\"cat\", null] | it has no field classes.1",
        "classes | [\"cat\"] | its field splits.train.histogram has 2 numbers, but there are 1 classes",
        "splits | [1] | its field splits cannot be [1]",
        "splits | {\"rest\": {}} | its field splits cannot be {\"rest\":{}}",
        "normalization | {\"mean\": [1], \"std\": [1]} | its field normalization.mean cannot be [1.0]",
        "notes | [{\"what\": \"x\", \"count\": \"y\", \"names\": []}] | its field notes.0.count cannot be \"y\"",
        "colour | true | unknown field colour",
      })
  void aFieldThatCannotBeIsNamed(String field, String value, String why) throws IOException {
    assertRefused(json().set(field, JSON.readTree(value)).toString(), why);
  }

  @Test
  void countsThatDoNotAgreeAreTold() {
    assertRefused(
        WHOLE.json().replaceFirst("\"images\" : 9", "\"images\" : 8"),
        "its field splits.train.images is 8, but the histogram's sum is 9");
  }

  @Test
  void aTextThatIsNoObjectIsTold() {
    for (var text : List.of("", "null", "[]", "7")) {
      assertRefused(text, "it is not a JSON object");
    }
    long last = WHOLE.json().lines().count();
    assertRefused(WHOLE.json() + "}", "line " + last + " is not valid JSON");
    assertRefused(WHOLE.json() + "{}", "line " + last + " is not valid JSON");
    assertRefused("{\n\"format\": ", "line 2 is not valid JSON");
  }

  @Test
  void theFileIsNamedInOneLine(@TempDir Path directory) throws IOException {
    Files.writeString(directory.resolve("dataset.json"), json().without("seed").toString());
    assertThatThrownBy(() -> DatasetManifest.read(new Configuration(), directory.toString()))
        .isInstanceOf(UserException.class)
        .hasMessage(
            "mixtraining.data.path: %s/dataset.json is not a dataset manifest: it has no field seed; restore the file that prepare wrote, or prepare the images again in another mixtraining.data.path"
                .formatted(directory));
  }
}
