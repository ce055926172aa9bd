package org.mixtraining.results;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.results.RunRow.Progress;
import org.mixtraining.results.RunRow.Status;

/** The view {@code settings}: what comes of a comparison. */
class SettingsTest {
  @RegisterExtension static final LocalSpark spark = new LocalSpark();

  @TempDir Path output;
  private Tables tables;

  @BeforeEach
  void open() {
    tables = new Tables(new Configuration(), output.toString());
  }

  private void planned(String dataset, String arm, long seed) {
    tables.write(new ComparisonRow(id(dataset, arm, seed), "c", dataset, 0.5, 1, arm, "ssl-sl"));
  }

  private void run(
      String dataset, String arm, long seed, Status status, Double accuracy, double seconds) {
    planned(dataset, arm, seed);
    RunRow sample = Samples.run("a");
    RunRow.Setup s = sample.setup();
    tables.write(
        new RunRow(
            id(dataset, arm, seed),
            status,
            sample.started(),
            null,
            null,
            Samples.setup(seed),
            sample.versions(),
            new Progress(4, accuracy, 3, accuracy, 0.1, 1, 2 * seconds, 3 * seconds, seconds),
            null,
            null));
  }

  private void finished(String dataset, String arm, long seed, double accuracy, double seconds) {
    run(dataset, arm, seed, Status.FINISHED, accuracy, seconds);
  }

  private static String id(String dataset, String arm, long seed) {
    return dataset + "-" + arm + "-" + seed;
  }

  private Row row(String dataset, String arm) {
    Tables.register(spark.get(), output.toString());
    return spark
        .rows("select * from settings where dataset = '%s' and arm = '%s'".formatted(dataset, arm))
        .get(0);
  }

  @Test
  void anArmIsHeldAgainstTheBaselineOfItsSettingSeedBySeed() {
    finished("a", "ssl-sl", 0, 0.50, 100);
    finished("a", "ssl-sl", 1, 0.54, 140);
    finished("a", "mix", 0, 0.58, 60);
    finished("a", "mix", 1, 0.60, 60);
    finished("b", "ssl-sl", 0, 0.99, 1);

    Row mix = row("a", "mix");
    assertThat(mix.<Long>getAs("runs")).isEqualTo(2);
    assertThat(mix.<Double>getAs("accuracy")).isCloseTo(0.59, within(1e-9));
    assertThat(mix.<Double>getAs("accuracy_deviation")).isCloseTo(Math.sqrt(2e-4), within(1e-9));
    assertThat(mix.<Double>getAs("device_seconds")).isEqualTo(60);
    assertThat(mix.<Double>getAs("wall_seconds")).isEqualTo(180);
    assertThat(mix.<Double>getAs("flops")).isEqualTo(120);
    assertThat(mix.<Double>getAs("gain")).isCloseTo(0.07, within(1e-9));
    assertThat(mix.<Double>getAs("times_cheaper")).isEqualTo(2);
    assertThat(mix.<Double>getAs("times_fewer_flops")).isEqualTo(2);
    assertThat(mix.<Boolean>getAs("ahead")).isTrue();
    assertThat(mix.<Boolean>getAs("pareto")).isTrue();
    assertThat(row("a", "ssl-sl").<Boolean>getAs("ahead")).isFalse();
    assertThat(row("a", "ssl-sl").<Boolean>getAs("pareto")).isFalse();
  }

  @Test
  void onlySeedsThatBothHaveAreHeldAgainstEachOther() {
    finished("a", "ssl-sl", 0, 0.50, 100);
    run("a", "ssl-sl", 1, Status.FAILED, 0.10, 10);
    finished("a", "mix", 0, 0.52, 50);
    finished("a", "mix", 1, 0.90, 500);
    planned("a", "mix", 2);

    Row mix = row("a", "mix");
    assertThat(mix.<Long>getAs("runs")).isEqualTo(2);
    assertThat(mix.<Long>getAs("planned")).isEqualTo(3);
    assertThat(mix.<Double>getAs("gain")).isCloseTo(0.02, within(1e-9));
    assertThat(mix.<Double>getAs("times_cheaper")).isEqualTo(2);
    assertThat(row("a", "ssl-sl").<Double>getAs("accuracy")).isEqualTo(0.5);
    assertThat(row("a", "ssl-sl").<Object>getAs("accuracy_deviation")).isNull();
  }

  @Test
  void aheadMeansMoreAccurateAndCheaper() {
    finished("a", "ssl-sl", 0, 0.50, 100);
    finished("a", "dearer", 0, 0.60, 110);
    finished("a", "worse", 0, 0.40, 50);
    finished("a", "equal", 0, 0.50, 50);

    assertThat(row("a", "dearer").<Boolean>getAs("ahead")).isFalse();
    assertThat(row("a", "worse").<Boolean>getAs("ahead")).isFalse();
    assertThat(row("a", "equal").<Boolean>getAs("ahead")).isFalse();
  }

  @Test
  void anArmIsOnTheParetoFrontUnlessOneIsAsGoodAndAsCheap() {
    finished("a", "ssl-sl", 0, 0.50, 100);
    finished("a", "equal-and-dearer", 0, 0.50, 101);
    finished("a", "best", 0, 0.70, 300);
    finished("a", "cheapest", 0, 0.30, 10);
    finished("a", "dominated", 0, 0.29, 10);
    planned("a", "left", 0);

    Tables.register(spark.get(), output.toString());
    assertThat(spark.rows("select arm from settings where pareto order by arm"))
        .extracting(row -> row.getString(0))
        .containsExactly("best", "cheapest", "ssl-sl");
    assertThat(row("a", "left").<Object>getAs("accuracy")).isNull();
  }

  @Test
  void withoutValidationImagesTheFinalModelCounts() {
    run("a", "ssl-sl", 0, Status.FINISHED, null, 10);

    assertThat(row("a", "ssl-sl").<Double>getAs("accuracy")).isEqualTo(0.1);
  }
}
