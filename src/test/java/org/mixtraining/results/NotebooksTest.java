package org.mixtraining.results;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.mixtraining.config.Pipeline;

/** The queries that come with the job, and those that README and manual show. */
class NotebooksTest {
  @RegisterExtension static final LocalSpark spark = new LocalSpark();

  @TempDir static Path output;

  @BeforeAll
  static void fill() {
    var tables = new Tables(new Configuration(), output.toString());
    finished(tables, "base", Pipeline.SSL_SL, 0.5, 100);
    finished(tables, "mixed", Pipeline.MIX, 0.625, 50);
    finished(tables, "plain", Pipeline.SL, 0.25, 25);
    finished(tables, "worse", Pipeline.SSL_SL, 0.125, 400);
    tables.write(ResultsFixtures.ssl("mixed", 1));
    List<WorkerRow> workers = new ArrayList<>();
    for (int worker : new int[] {0, 1, 2, 40}) { // that which comes last takes 50 s, not 10 to 12
      workers.add(ResultsFixtures.worker("mixed", 1, worker));
    }
    tables.write(workers);
    tables.write(
        List.of(
            ResultsFixtures.prediction("mixed", 1, 0, 0),
            ResultsFixtures.prediction("mixed", 2, 0, 3),
            ResultsFixtures.prediction("mixed", 4, 0, 3),
            ResultsFixtures.prediction("mixed", 3, 1, 0)));
    Tables.register(spark.get(), output.toString());
  }

  private static void finished(
      Tables tables, String id, Pipeline pipeline, double accuracy, double seconds) {
    RunRow run = ResultsFixtures.run(id);
    RunRow.Setup s = run.setup();
    tables.write(
        new RunRow(
            id,
            RunRow.Status.FINISHED,
            run.started(),
            ResultsFixtures.NOON,
            null,
            new RunRow.Setup(
                pipeline,
                s.model(),
                s.parameters(),
                s.seed(),
                s.workers(),
                s.epochsPlanned(),
                s.datasetPath(),
                s.datasetFingerprint(),
                null,
                s.config()),
            run.versions(),
            new RunRow.Progress(
                4, accuracy, 4, accuracy, accuracy, 1, 2e12, seconds, seconds, 1, 1.0, 1e12, 1.0),
            "ab",
            false));
    tables.write(new ComparisonRow(id, "c", "drawn", 1, 1, id, "base"));
  }

  static List<Path> files() throws IOException {
    try (Stream<Path> files = Files.list(Path.of("notebooks"))) {
      return files.filter(file -> file.toString().endsWith(".sql")).sorted().toList();
    }
  }

  private static String csv(Path file) throws IOException {
    var out = new ByteArrayOutputStream();
    new Query(spark.get(), Format.CSV, new PrintStream(out, false, StandardCharsets.UTF_8))
        .run(Files.readString(file));
    return out.toString(StandardCharsets.UTF_8);
  }

  private static String csv(String name) throws IOException {
    return csv(Path.of("notebooks", name));
  }

  @ParameterizedTest
  @MethodSource("files")
  void everyStatementAnswersWithRows(Path file) throws IOException {
    assertThat(csv(file).split("\n\n"))
        .allSatisfy(answer -> assertThat(answer.lines()).hasSizeGreaterThan(1));
  }

  static List<String> shown() throws IOException {
    try (Stream<Path> manual = Files.list(Path.of("src/site/markdown"))) {
      List<String> statements = new ArrayList<>();
      for (Path file : Stream.concat(Stream.of(Path.of("README.md")), manual).toList()) {
        Pattern.compile("submit/mixtraining sql .*-e \"([^\"]+)\"")
            .matcher(Files.readString(file))
            .results()
            .forEach(command -> statements.add(command.group(1)));
      }
      return statements;
    }
  }

  @ParameterizedTest
  @MethodSource("shown")
  void everyStatementShownNamesTablesAndColumnsThatExist(String statement) {
    assertThat(spark.get().sql(statement).columns()).isNotEmpty();
  }

  @Test
  void theBestArmOfASettingIsFound() throws IOException {
    assertThat(csv("best-setting.sql")).contains("c,drawn,1.0,1.0,mixed,1,62.5,,12.5,2.0,1.0");
  }

  @Test
  void theTrialOfAPipelineThatIsBestOnValidationIsChosen() throws IOException {
    assertThat(csv("tuning.sql").lines().skip(1))
        .containsExactly(
            "c,drawn,1.0,1.0,mix,1,mixed,1,62.5,,62.5,,2.0",
            "c,drawn,1.0,1.0,ssl-sl,2,base,1,50.0,,50.0,,2.0",
            "c,drawn,1.0,1.0,sl,1,plain,1,25.0,,25.0,,2.0");
  }

  @Test
  void aWorkerThatTheOthersWaitForIsFound() throws IOException {
    assertThat(csv("stragglers.sql").lines().skip(1))
        .singleElement()
        .asString()
        .startsWith("mixed,node-40,40,1,4.3");
  }

  @Test
  void whatSslBoughtIsCountedFromTheSupervisedArm() throws IOException {
    assertThat(csv("what-ssl-bought.sql"))
        .contains("mixed,62.5,25.0,37.5,0.0")
        .contains("base,50.0,25.0,25.0,0.0");
  }

  @Test
  void costsAndMistakesAreCounted() throws IOException {
    assertThat(csv("cost-per-point.sql")).contains("mixed,mix,vit-nano,62.5,50.0,0.8,0.032");
    assertThat(csv("mistakes.sql")).contains("mixed,main,class 0,class 3,2,0.666");
  }
}
