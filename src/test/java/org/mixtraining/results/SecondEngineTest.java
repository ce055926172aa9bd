package org.mixtraining.results;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The tables as DuckDB reads them, which knows nothing of this job. */
class SecondEngineTest {
  @TempDir Path output;

  @BeforeEach
  void write() {
    var tables = new Tables(new Configuration(), output.toString());
    for (String id : List.of("a", "b")) {
      tables.write(ResultsFixtures.run(id));
      tables.write(
          List.of(
              ResultsFixtures.ssl(id, 1),
              ResultsFixtures.joint(id, 2, 0.5),
              ResultsFixtures.ssl(id, 65)));
      tables.write(List.of(ResultsFixtures.worker(id, 2, 0), ResultsFixtures.worker(id, 2, 1)));
      tables.write(ResultsFixtures.prediction(id, 7, 0, 1));
    }
  }

  private List<String> rows(String sql, String table) throws SQLException {
    List<String> rows = new ArrayList<>();
    try (Connection duck = DriverManager.getConnection("jdbc:duckdb:");
        ResultSet answer =
            duck.createStatement()
                .executeQuery(
                    sql.formatted(
                        "read_parquet('%s/tables/%s/*/*.parquet', hive_partitioning = true, union_by_name = true)"
                            .formatted(output, table)))) {
      int columns = answer.getMetaData().getColumnCount();
      while (answer.next()) {
        List<String> row = new ArrayList<>();
        for (int c = 1; c <= columns; c++) {
          row.add(answer.getString(c));
        }
        rows.add(String.join("|", row.stream().map(String::valueOf).toList()));
      }
    }
    return rows;
  }

  @Test
  void everyRowIsReadOnceWithItsRun() throws SQLException {
    assertThat(
            rows(
                "select run_id, epoch, phase, validation_accuracy, images from %s order by all",
                "epochs"))
        .containsExactly(
            "a|1|ssl|null|1000",
            "a|2|mix|0.5|2000",
            "a|65|ssl|null|65000",
            "b|1|ssl|null|1000",
            "b|2|mix|0.5|2000",
            "b|65|ssl|null|65000");
    assertThat(rows("select count(*), count(distinct (run_id, worker)) from %s", "workers"))
        .containsExactly("4|4");
  }

  @Test
  void anIdThatLooksLikeANumberOrADateIsTextWhereItsTypeIsGiven() throws SQLException {
    var odd = new Tables(new Configuration(), output.resolve("odd").toString());
    for (String id : List.of("007", "2024-01-05")) {
      odd.write(ResultsFixtures.run(id));
    }
    String read =
        "select run_id, typeof(run_id) from read_parquet('"
            + output
            + "/odd/tables/runs/*/*.parquet', hive_partitioning = true, union_by_name = true"
            + ", hive_types = {'run_id': VARCHAR}) order by run_id";

    assertThat(rows(read, "")).containsExactly("007|VARCHAR", "2024-01-05|VARCHAR");
  }

  @Test
  void typesAreWhatTheyAreHere() throws SQLException {
    assertThat(
            rows(
                "select epoch_us(started), typeof(started), seed, typeof(seed), typeof(seconds), ended, typeof(stopped_early) from %s limit 1",
                "runs"))
        .containsExactly(
            "1772366400123456|TIMESTAMP WITH TIME ZONE|-42|BIGINT|DOUBLE|null|BOOLEAN");
    assertThat(rows("select id, split, predicted_name, probability from %s", "predictions"))
        .containsOnly("7|test|class 1|0.625");
  }
}
