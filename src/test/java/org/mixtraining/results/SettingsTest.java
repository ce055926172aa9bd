package org.mixtraining.results;

import static java.util.stream.Collectors.toMap;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.Map;
import java.util.function.Function;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.results.RunRow.Progress;
import org.mixtraining.results.RunRow.Status;

/** The view {@code settings}: what comes of a comparison. Each dataset is a case. */
class SettingsTest {
  @RegisterExtension static final LocalSpark spark = new LocalSpark();

  @TempDir static Path output;
  private static Tables tables;
  private static Map<String, Row> rows;

  @BeforeAll
  static void fill() {
    tables = new Tables(new Configuration(), output.toString());

    finished("gain", "ssl-sl", 0, 0.50, 100);
    finished("gain", "ssl-sl", 1, 0.54, 140);
    finished("gain", "mix", 0, 0.58, 60);
    finished("gain", "mix", 1, 0.60, 60);

    finished("gaps", "ssl-sl", 0, 0.50, 100);
    run("gaps", "ssl-sl", 1, Status.FAILED, 0.10, 10);
    finished("gaps", "mix", 0, 0.52, 50);
    finished("gaps", "mix", 1, 0.90, 500);
    planned("gaps", "mix", 2);

    finished("trade", "ssl-sl", 0, 0.50, 100);
    finished("trade", "dearer", 0, 0.60, 110);
    finished("trade", "worse", 0, 0.40, 50);
    finished("trade", "equal", 0, 0.50, 50);

    finished("front", "ssl-sl", 0, 0.50, 100);
    finished("front", "equal-and-dearer", 0, 0.50, 101);
    finished("front", "best", 0, 0.70, 300);
    finished("front", "cheapest", 0, 0.30, 10);
    finished("front", "dominated", 0, 0.29, 10);
    planned("front", "left", 0);

    run("blind", "ssl-sl", 0, Status.FINISHED, null, 10);

    Tables.register(spark.get(), output.toString());
    rows =
        spark.rows("select * from settings").stream()
            .collect(
                toMap(row -> row.getAs("dataset") + "/" + row.getAs("arm"), Function.identity()));
  }

  private static void planned(String dataset, String arm, long seed) {
    tables.write(new ComparisonRow(id(dataset, arm, seed), "c", dataset, 0.5, 1, arm, "ssl-sl"));
  }

  private static void run(
      String dataset, String arm, long seed, Status status, Double accuracy, double seconds) {
    planned(dataset, arm, seed);
    RunRow sample = ResultsFixtures.run("a");
    tables.write(
        new RunRow(
            id(dataset, arm, seed),
            status,
            sample.started(),
            null,
            null,
            ResultsFixtures.setup(seed),
            sample.versions(),
            new Progress(
                4,
                accuracy,
                3,
                accuracy,
                0.1,
                1,
                2 * seconds,
                3 * seconds,
                seconds,
                2,
                1.0,
                seconds,
                0.5 * seconds),
            null,
            null));
  }

  private static void finished(
      String dataset, String arm, long seed, double accuracy, double seconds) {
    run(dataset, arm, seed, Status.FINISHED, accuracy, seconds);
  }

  private static String id(String dataset, String arm, long seed) {
    return dataset + "-" + arm + "-" + seed;
  }

  private static double number(String row, String column) {
    return rows.get(row).<Number>getAs(column).doubleValue();
  }

  private static boolean flag(String row, String column) {
    return rows.get(row).<Boolean>getAs(column);
  }

  @Test
  void anArmIsHeldAgainstTheBaselineOfItsSetting() {
    assertThat(number("gain/mix", "runs")).isEqualTo(2);
    assertThat(number("gain/mix", "accuracy")).isCloseTo(0.59, within(1e-9));
    assertThat(number("gain/mix", "accuracy_deviation")).isCloseTo(Math.sqrt(2e-4), within(1e-9));
    assertThat(number("gain/mix", "device_seconds")).isEqualTo(60);
    assertThat(number("gain/mix", "wall_seconds")).isEqualTo(180);
    assertThat(number("gain/mix", "flops")).isEqualTo(120);
    assertThat(number("gain/mix", "gain")).isCloseTo(0.07, within(1e-9));
    // The differences are 0.08 and 0.06; t of one degree of freedom is 12.706.
    assertThat(number("gain/mix", "gain_margin")).isCloseTo(12.706 * 0.01, within(1e-5));
    assertThat(rows.get("gain/ssl-sl").<Object>getAs("gain_margin")).isNull();
    assertThat(number("gain/mix", "times_cheaper")).isEqualTo(2);
    assertThat(number("gain/mix", "times_fewer_flops")).isEqualTo(2);
    assertThat(flag("gain/mix", "ahead")).isTrue();
    assertThat(flag("gain/mix", "pareto")).isTrue();
    assertThat(flag("gain/ssl-sl", "ahead")).isFalse();
    assertThat(flag("gain/ssl-sl", "pareto")).isFalse();
  }

  @Test
  void onlySeedsThatBothHaveAreHeldAgainstEachOther() {
    assertThat(number("gaps/mix", "runs")).isEqualTo(2);
    assertThat(number("gaps/mix", "planned")).isEqualTo(3);
    assertThat(number("gaps/mix", "gain")).isCloseTo(0.02, within(1e-9));
    assertThat(rows.get("gaps/mix").<Object>getAs("gain_margin")).isNull();
    assertThat(number("gaps/mix", "times_cheaper")).isEqualTo(2);
    assertThat(number("gaps/ssl-sl", "accuracy")).isEqualTo(0.5);
    assertThat(rows.get("gaps/ssl-sl").<Object>getAs("accuracy_deviation")).isNull();
  }

  @Test
  void aheadMeansMoreAccurateAndCheaper() {
    assertThat(flag("trade/dearer", "ahead")).isFalse();
    assertThat(flag("trade/worse", "ahead")).isFalse();
    assertThat(flag("trade/equal", "ahead")).isFalse();
  }

  @Test
  void anArmIsOnTheParetoFrontUnlessOneIsAsGoodAndAsCheap() {
    assertThat(
            rows.keySet().stream().filter(row -> row.startsWith("front/") && flag(row, "pareto")))
        .containsExactlyInAnyOrder("front/best", "front/cheapest", "front/ssl-sl");
    assertThat(rows.get("front/left").<Object>getAs("accuracy")).isNull();
  }

  @Test
  void withoutValidationImagesTheFinalModelCounts() {
    assertThat(number("blind/ssl-sl", "accuracy")).isEqualTo(0.1);
  }
}
