package org.mixtraining.results;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.mixtraining.api.MixTraining;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.UserException;
import org.mixtraining.data.Split;
import org.mixtraining.data.prepare.Prepare;
import org.mixtraining.files.KillableFileSystem;

/** The result tables as Iceberg's. */
class CatalogTest {
  private static final List<String> NAMES = Tables.ALL.stream().map(Table::name).toList();

  @RegisterExtension static final LocalSpark spark = new LocalSpark();
  @TempDir static Path warehouse;
  private static int namespaces;

  @TempDir Path output;
  private String place;
  private Tables tables;

  @BeforeAll
  static void configure() {
    var conf = spark.get().conf();
    conf.set("spark.sql.catalog.lake", "org.apache.iceberg.spark.SparkCatalog");
    conf.set("spark.sql.catalog.lake.type", "hadoop");
    conf.set("spark.sql.catalog.lake.warehouse", warehouse.toString());
  }

  @BeforeEach
  void open() {
    place = "lake.mix" + namespaces++;
    tables = tables(new Configuration());
  }

  private Tables tables(Configuration hadoop) {
    Tables opened = new Tables(hadoop, output.toString());
    opened.also(catalog(place).orElseThrow());
    return opened;
  }

  private static Optional<Catalog> catalog(String place) {
    return Catalog.of(new JobConfig.Results(place), Optional.of(spark.get()));
  }

  private List<Row> rows(String table) {
    return spark.rows("select * from %s.%s".formatted(place, table));
  }

  /** Every table has the rows of the files, once each. */
  private void assertSameAsFiles() {
    Tables.register(spark.get(), output.toString());
    for (String table : NAMES) {
      List<Row> files = spark.rows("select * from " + table);
      assertThat(rows(table)).as(table).containsExactlyInAnyOrderElementsOf(files);
      assertThat(spark.get().table(place + "." + table).schema())
          .as("with the meanings of the columns")
          .isEqualTo(spark.get().table(table).schema());
    }
  }

  @Test
  void theCatalogHasWhatTheFilesHaveHoweverOftenItIsWritten() {
    for (String run : List.of("a", "b")) {
      tables.write(ResultsFixtures.run(run));
      for (int repeated = 0; repeated < 2; repeated++) {
        tables.write(List.of(ResultsFixtures.ssl(run, 1), ResultsFixtures.ssl(run, 65)));
        tables.write(List.of(ResultsFixtures.worker(run, 1, 0), ResultsFixtures.worker(run, 1, 1)));
      }
      tables.write(ResultsFixtures.ofClass(run, 1, Split.TEST, 0, 10, 0.5));
      tables.write(ResultsFixtures.prediction(run, 1, 0, 1));
    }
    tables.write(ResultsFixtures.joint("a", 65, 0.75));

    assertSameAsFiles();
    assertThat(rows("epochs")).hasSize(4);
    assertThat(rows("workers")).hasSize(4);

    // as a compaction does: one file for all runs and epochs
    spark.rows("insert overwrite %1$s.epochs select * from %1$s.epochs".formatted(place));
    tables.write(ResultsFixtures.joint("a", 1, 0.25));
    assertSameAsFiles();

    tables.forgetStatus("a");
    assertThat(rows("runs")).hasSize(1);
    tables.delete("b");
    assertSameAsFiles();
    assertThat(rows("runs")).isEmpty();
    assertThat(rows("epochs")).hasSize(2);
  }

  /** Killed at some operation on its files, and started again from the checkpoint before. */
  @ParameterizedTest
  @ValueSource(ints = {1, 9})
  void aRunThatIsKilledAndResumedIsThereOnce(int operation) {
    KillableFileSystem.killAt(operation);
    Tables dying = tables(KillableFileSystem.configuration());
    assertThatThrownBy(() -> epochs(dying, 1)).isInstanceOf(KillableFileSystem.Killed.class);

    tables.publish("a");
    epochs(tables, 2);

    assertSameAsFiles();
    assertThat(rows("epochs")).hasSizeBetween(2, 3);
    assertThat(rows("workers")).hasSize(2 * rows("epochs").size());
  }

  private static void epochs(Tables tables, int from) {
    tables.write(ResultsFixtures.run("a"));
    for (int epoch = from; epoch <= 3; epoch++) {
      tables.write(ResultsFixtures.ssl("a", epoch));
      tables.write(
          List.of(ResultsFixtures.worker("a", epoch, 0), ResultsFixtures.worker("a", epoch, 1)));
      tables.write(ResultsFixtures.run("a"));
    }
  }

  @Test
  void aCatalogThatIsNamedLaterGetsWhatWasThere() {
    Tables before = new Tables(new Configuration(), output.toString());
    epochs(before, 1);
    assertThat(rows("epochs")).isEmpty();

    tables.publish("a");

    assertSameAsFiles();
  }

  @Test
  void columnsMayBeOlderOrNewer() {
    spark.rows("alter table %s.epochs drop column train_loss".formatted(place));
    spark.rows("alter table %s.epochs add column mood string".formatted(place));
    tables(new Configuration()).write(ResultsFixtures.joint("a", 2, 0.5));

    assertThat(spark.rows("select epoch, train_loss, mood from %s.epochs".formatted(place)))
        .containsExactly(RowFactory.create(2, 1.5, null));
  }

  @Test
  void whereTheCatalogFailsNothingIsWrittenButTheLastWord() {
    tables.write(ResultsFixtures.run("a"));
    spark.rows("drop table %s.epochs".formatted(place));
    spark.rows("drop table %s.runs".formatted(place));

    assertThatThrownBy(() -> tables.write(ResultsFixtures.ssl("a", 1)))
        .hasMessageStartingWith(
            "mixtraining.results.catalog = %s: epochs cannot be written: ", place);
    assertThat(output.resolve("tables/epochs")).doesNotExist();

    RunRow run = ResultsFixtures.run("a");
    RunRow failed =
        new RunRow(
            "a",
            RunRow.Status.FAILED,
            run.started(),
            run.started(),
            "no reason",
            run.setup(),
            run.versions(),
            run.progress(),
            null,
            null);
    tables.writeInAnyCase(failed);
    assertThat(tables.run("a")).contains(failed);
    assertThatThrownBy(() -> tables.write(run)).isInstanceOf(UserException.class); // it is not lost
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "nowhere.mix; this Spark session has no catalog nowhere (",
        "broken.mix; this Spark session has no catalog broken (",
        "spark_catalog.a.b; its tables cannot be made: "
      })
  void aCatalogThatCannotBeUsedIsNamedWithItsKey(String name, String why) {
    spark.get().conf().set("spark.sql.catalog.broken", "org.example.Missing");

    assertThatThrownBy(() -> catalog(name))
        .isInstanceOf(UserException.class)
        .hasMessageStartingWith("mixtraining.results.catalog = %s: %s", name, why);
  }

  @Test
  void aFormatThatCannotOverwriteRowsIsNamed() {
    spark.get().conf().set("spark.sql.sources.default", "parquet");
    Tables plain = new Tables(new Configuration(), output.toString());
    spark.rows("drop database if exists plain cascade");
    plain.also(catalog("spark_catalog.plain").orElseThrow());

    assertThatThrownBy(() -> plain.write(ResultsFixtures.run("a")))
        .isInstanceOf(UserException.class)
        .hasMessageStartingWith(
            "mixtraining.results.catalog = spark_catalog.plain: runs cannot be written: ");
    spark.rows("drop database plain cascade");
  }

  @Test
  void aRunWithoutSparkIsRefusedACatalog() {
    assertThatThrownBy(() -> Catalog.of(new JobConfig.Results("lake.mix"), Optional.empty()))
        .hasMessage(
            "mixtraining.results.catalog = lake.mix: is written by a Spark session, and this run has none; train in one, or leave the key empty");
    assertThat(Catalog.of(new JobConfig.Results(""), Optional.empty())).isEmpty();
    assertThatThrownBy(() -> JobConfig.load(Optional.empty(), List.of("results.catalog=lake")))
        .hasMessageContaining(
            "mixtraining.results.catalog = lake: must be a catalog of Spark's, a dot and a namespace in it, as lake.mixtraining, or empty");
  }

  @Test
  void aTrainedRunIsInTheCatalog() throws Exception {
    SparkSession session = spark.get();
    JobConfig config =
        JobConfig.load(
            Optional.empty(),
            List.of(
                "run.id=real",
                "run.output=" + output,
                "results.catalog=" + place,
                "data.format=synthetic",
                "data.path=" + output.resolve("images"),
                "data.synthetic={train = 60, test = 20}",
                "data.shards=2",
                "model.preset=vit-nano",
                "model.patch=8",
                "model.decoder.depth=1",
                "epochs={ssl = 1, sl = 2}",
                "mix.ratio=0.5",
                "optimizer.batch-size=16"));
    Prepare.run(session, config.data(), Prepare.Existing.REFUSE, line -> {});

    MixTraining.train(session, config);

    assertSameAsFiles();
    assertThat(spark.value("select status from %s.runs".formatted(place))).isEqualTo("finished");
    assertThat(rows("predictions")).hasSize(20);
    assertThat(rows("epochs")).hasSizeGreaterThan(1);
    assertThat(Files.exists(output.resolve("tables/epochs"))).isTrue();
  }
}
