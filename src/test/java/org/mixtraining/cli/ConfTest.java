package org.mixtraining.cli;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.mapping;
import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.mixtraining.config.AugmentConfig;
import org.mixtraining.config.Comparison;

/** The configurations that come with the job. */
class ConfTest {
  @TempDir Path output;

  static List<Path> files() throws IOException {
    try (Stream<Path> files = Files.walk(Path.of("conf"))) {
      return files.filter(file -> file.toString().endsWith(".conf")).sorted().toList();
    }
  }

  @ParameterizedTest
  @MethodSource("files")
  void everyFileOffersAPlan(Path file) throws IOException {
    String text = Files.readString(file);
    boolean compares = text.contains("compare {");
    Printed printed =
        Printed.by(
            compares ? "compare" : "train",
            "--dry-run",
            "--quiet",
            "--conf",
            file.toString(),
            "-D",
            "run.output=" + output);

    assertThat(printed.exitCode()).isZero();
    List<String> phases =
        text.contains("  pipeline = sl\n") ? List.of("SL") : List.of("SSL", "MIX", "SL");
    assertThat(printed.out()).contains(phases);
    assertThat(output).isEmptyDirectory();
  }

  /** It would draw shapes in data.path, which nobody asked for. */
  @Test
  void prepareRefusesTasksWhichArePreparedAlready() {
    Printed printed = Printed.by("prepare", "-D", "data.tasks=[{name = a, path = data/a}]");

    assertThat(printed.exitCode()).isEqualTo(2);
    assertThat(printed.err())
        .contains("error: mixtraining.data.tasks: names datasets that are already prepared");
  }

  private static Comparison comparison(String file) {
    return Comparison.load(Optional.of(Path.of("conf", file)), List.of());
  }

  private static long settings(Comparison comparison) {
    return comparison.runs().stream().map(Comparison.Run::setting).distinct().count();
  }

  @Test
  void thePaperHasFifteenSettingsOfOneTaskAndFiveOfSeveral() {
    assertThat(settings(comparison("paper/single-task.conf"))).isEqualTo(15);
    assertThat(settings(comparison("paper/multi-task.conf"))).isEqualTo(5);
    assertThat(comparison("paper/multi-task.conf").runs())
        .allMatch(run -> run.config().data().tasks().size() == 3);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "paper/single-task.conf",
        "paper/multi-task.conf",
        "laptop/cifar10.conf",
        "laptop/cifar100.conf",
        "laptop/variants.conf"
      })
  void armsHaveTheSameAugmentationAndBatches(String file) {
    Comparison comparison = comparison(file);
    assertThat(comparison.runs().stream().map(Comparison.Run::seed).distinct()).hasSize(3);
    for (Comparison.Setting setting :
        comparison.runs().stream().map(Comparison.Run::setting).distinct().toList()) {
      assertThat(
              comparison.runs().stream()
                  .filter(run -> run.setting().equals(setting))
                  .map(Comparison.Run::config)
                  .map(run -> List.of(ofImages(run.augment()), run.optimizer().batchSize()))
                  .distinct())
          .hasSize(1);
    }
  }

  /** All but the patches hidden in SL epochs, which belong to the schedule of mix. */
  private static List<?> ofImages(AugmentConfig augment) {
    return List.of(augment.ssl(), augment.sl(), augment.mixup(), augment.cutmix());
  }

  /** As many trials, of the same rates and with the same seeds, whatever is tuned. */
  @Test
  void everyPipelineIsTunedWithTheSameBudget() {
    Map<Object, List<Comparison.Run>> trials =
        comparison("laptop/tuning.conf").runs().stream()
            .collect(groupingBy(run -> run.config().pipeline()));

    assertThat(trials).hasSize(4);
    assertThat(trials.values())
        .allSatisfy(
            runs -> {
              assertThat(runs).hasSize(12);
              assertThat(runs.stream().map(Comparison.Run::seed).distinct()).hasSize(2);
              assertThat(
                      runs.stream()
                          .map(run -> run.config().optimizer().rates().baseLr())
                          .distinct())
                  .containsExactlyInAnyOrder(0.008, 0.016, 0.032, 0.064);
            });
  }

  /** Tuned once: what suits an arm on one dataset or fraction is not chosen for each anew. */
  @Test
  void anArmHasOneRateWhateverItTrainsOn() {
    Map<String, Set<Double>> rates =
        Stream.of("laptop/cifar10.conf", "laptop/cifar100.conf")
            .flatMap(file -> comparison(file).runs().stream())
            .collect(
                groupingBy(
                    Comparison.Run::arm,
                    mapping(run -> run.config().optimizer().rates().baseLr(), toSet())));

    assertThat(rates).containsOnlyKeys("sl", "ssl-sl", "mix", "ssat");
    assertThat(rates.values()).allSatisfy(rate -> assertThat(rate).hasSize(1));
  }
}
