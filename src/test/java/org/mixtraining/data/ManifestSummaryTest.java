package org.mixtraining.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.mixtraining.data.DatasetManifest.Contents;

class ManifestSummaryTest {

  @Test
  void countsStandInColumnsHoweverLongTheNameOfAClassIs() {
    String longName = "household_electrical_devices";
    var manifest =
        ManifestTextTest.manifest(
            List.of("bee", longName),
            Map.of(
                Split.TRAIN, Contents.of(List.of(45L, 4L), 3),
                Split.VALIDATION, Contents.of(List.of(5L, 1L), 0),
                Split.TEST, Contents.of(List.of(25L, 2L), 0)),
            List.of());

    List<String> table = ManifestSummary.of(manifest).lines().toList().subList(1, 6);

    assertThat(table).extracting(String::length).containsOnly(longName.length() + 3 * 11);
    assertThat(table.get(2).split(" +")).containsExactly(longName, "4", "1", "2");
    assertThat(table.get(3)).startsWith("without a label ").contains(" 3 ");
    assertThat(table.get(4).split(" +")).containsExactly("all", "52", "6", "27");
  }
}
