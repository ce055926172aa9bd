package org.mixtraining.results;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.schedule.Phase;

class RowReaderTest {
  @RegisterExtension static final LocalSpark spark = new LocalSpark();

  @BeforeAll
  static void register(@TempDir Path output) {
    Tables tables = new Tables(new Configuration(), output.toString());
    tables.write(ResultsFixtures.run("a"));
    tables.write(ResultsFixtures.ssl("a", 1));
    tables.write(ResultsFixtures.joint("a", 2, 0.5));
    tables.write(ResultsFixtures.joint("b", 1, 0.5));
    tables.write(List.of(ResultsFixtures.worker("a", 1, 0), ResultsFixtures.worker("a", 1, 1)));
    Tables.register(spark.get(), output.toString());
  }

  private static RowReader recorded() {
    return new RowReader(spark.get());
  }

  @Test
  void theRowsThatWereWrittenAreReadAgain() {
    assertThat(
            recorded()
                .rows(
                    EpochRow.class,
                    "select * from epochs where run_id = :run order by epoch",
                    Map.of("run", "a")))
        .containsExactly(ResultsFixtures.ssl("a", 1), ResultsFixtures.joint("a", 2, 0.5));
    assertThat(recorded().rows(RunRow.class, "select * from runs", Map.of()))
        .containsExactly(ResultsFixtures.run("a"));
    assertThat(recorded().rows(WorkerRow.class, "select * from workers order by worker", Map.of()))
        .containsExactly(ResultsFixtures.worker("a", 1, 0), ResultsFixtures.worker("a", 1, 1));
  }

  private record Phases(Phase phase, long epochs, Double accuracy, Instant last, Inner inner) {}

  private record Inner(int steps) {}

  @Test
  void anyRecordIsFilledByItsColumnsNames() {
    assertThat(
            recorded()
                .rows(
                    Phases.class,
                    """
                    select phase, count(*) as epochs, max(test_accuracy) as accuracy,
                      max(finished_at) as last, max(steps) as steps
                    from epochs where run_id = 'a' group by phase order by phase desc
                    """,
                    Map.of()))
        .containsExactly(
            new Phases(Phase.SSL, 1, null, ResultsFixtures.NOON, new Inner(16)),
            new Phases(Phase.MIX, 1, 0.25, ResultsFixtures.NOON.plusSeconds(60), new Inner(32)));
  }

  @Test
  void anArgumentIsNeverReadAsSql() {
    assertThat(
            recorded()
                .rows(
                    RunRow.class,
                    "select * from runs where run_id = :run",
                    Map.of("run", "a' or 'a' = 'a")))
        .isEmpty();
  }
}
