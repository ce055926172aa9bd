package org.mixtraining.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.mixtraining.config.JobConfig;
import org.mixtraining.results.RunRow;

class CommandsTest {
  private static final RunRow RUN =
      ReportFixtures.run(RunRow.Status.FINISHED, RunRow.Progress.NONE, null);

  @Test
  void theCommandLeadsToTheConfigurationOfTheRun() {
    List<String> words = ReportFixtures.words(Commands.repeating(RUN));

    assertThat(words).startsWith("submit/mixtraining", "train").endsWith("-D", "run.id=noon-again");
    List<String> settings = new ArrayList<>();
    for (int i = 3; i < words.size(); i += 2) {
      assertThat(words.get(i - 1)).isEqualTo("-D");
      settings.add(words.get(i));
    }
    settings.add("run.id=noon");
    assertThat(JobConfig.load(Optional.empty(), settings).canonical())
        .isEqualTo(RUN.setup().config());
  }

  @Test
  void itNamesSeedAndDataEvenWhereTheyAreTheDefaults() {
    JobConfig defaults = JobConfig.load(Optional.empty(), List.of());
    RunRow.Setup s = RUN.setup();
    RunRow run =
        new RunRow(
            RUN.runId(),
            RUN.status(),
            RUN.started(),
            RUN.ended(),
            null,
            new RunRow.Setup(
                s.pipeline(), s.model(), 1, 0, 1, 1, "", "", null, defaults.canonical()),
            RUN.versions(),
            RUN.progress(),
            null,
            null);

    assertThat(ReportFixtures.words(Commands.repeating(run)))
        .containsExactly(
            "submit/mixtraining",
            "train",
            "-D",
            "data.path=data/synthetic",
            "-D",
            "run.seed=0",
            "-D",
            "run.id=noon-again");
    assertThat(Commands.incomplete(run)).isFalse();
  }

  @Test
  void whatWasSecretStaysSo() {
    assertThat(Commands.repeating(RUN))
        .contains("s3a://(redacted)@bucket")
        .doesNotContain("key:secret");
    assertThat(Commands.incomplete(RUN)).isTrue();
  }

  @Test
  void oneWordStaysOneWord() {
    assertThat(Commands.quoted("a=b/c-1.5")).isEqualTo("a=b/c-1.5");
    assertThat(Commands.quoted("it's $HOME")).isEqualTo("'it'\\''s $HOME'");
  }
}
