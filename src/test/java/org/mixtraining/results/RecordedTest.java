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

class RecordedTest {
  @RegisterExtension static final LocalSpark spark = new LocalSpark();

  @BeforeAll
  static void register(@TempDir Path output) {
    Tables tables = new Tables(new Configuration(), output.toString());
    tables.write(Samples.run("a"));
    tables.write(Samples.ssl("a", 1));
    tables.write(Samples.joint("a", 2, 0.5));
    tables.write(Samples.joint("b", 1, 0.5));
    tables.write(List.of(Samples.worker("a", 1, 0), Samples.worker("a", 1, 1)));
    Tables.register(spark.get(), output.toString());
  }

  private static Recorded recorded() {
    return new Recorded(spark.get());
  }

  @Test
  void theRowsThatWereWrittenAreReadAgain() {
    assertThat(
            recorded()
                .rows(
                    EpochRow.class,
                    "select * from epochs where run_id = :run order by epoch",
                    Map.of("run", "a")))
        .containsExactly(Samples.ssl("a", 1), Samples.joint("a", 2, 0.5));
    assertThat(recorded().rows(RunRow.class, "select * from runs", Map.of()))
        .containsExactly(Samples.run("a"));
    assertThat(recorded().rows(WorkerRow.class, "select * from workers order by worker", Map.of()))
        .containsExactly(Samples.worker("a", 1, 0), Samples.worker("a", 1, 1));
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
            new Phases(Phase.SSL, 1, null, Samples.NOON, new Inner(16)),
            new Phases(Phase.MIX, 1, 0.25, Samples.NOON.plusSeconds(60), new Inner(32)));
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
