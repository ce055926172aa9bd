package org.mixtraining.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ResourcesCommandTest {

  private static String run(String... words) {
    Printed printed = Printed.by(words);
    assertThat(printed.exitCode()).as(printed.err()).isZero();
    return printed.out();
  }

  private static final String WORKERS = "workers={count = 4, per-executor = 2, device = gpu}";

  @Test
  void aDryRunTellsTheEpochsAndWhatTheyTake() {
    String said = run("train", "--dry-run", "-D", WORKERS, "-D", "data.path=nothing-is-here");

    assertThat(said)
        .contains("SSL", "MIX", "SL")
        .containsPattern("workers +4  mixtraining.workers.count")
        .containsPattern("executors +2  mixtraining.workers.per-executor = 2")
        .containsPattern("GPUs per executor +2  one per worker; mixtraining.workers.device = gpu")
        .containsPattern("memory +\\?  unknown until the data is prepared");
  }

  @Test
  void theSettingsOfATrainingAreALineEach() {
    assertThat(run("resources", "--for", "yarn", "train", "-D", WORKERS, "--quiet").lines())
        .contains("spark.executor.instances=2", "spark.executor.resource.gpu.amount=2")
        .allMatch(line -> line.matches("spark\\.[\\w.]+=.*"));
    assertThat(run("resources", "--for", "yarn", "sql", "-e", "select 1").lines())
        .allMatch(line -> line.matches("spark\\.(driver|executor)\\.defaultJavaOptions=.*"));
  }
}
