package org.mixtraining.results;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.UserException;
import org.mixtraining.data.Split;
import org.mixtraining.files.WholeFile;
import org.mixtraining.results.RunRow.Progress;

class TablesTest {
  @RegisterExtension static final LocalSpark spark = new LocalSpark();

  @TempDir Path output;
  private Tables tables;

  @BeforeEach
  void open() {
    tables = new Tables(new Configuration(), output.toString());
  }

  private void register() {
    Tables.register(spark.get(), output.toString());
  }

  private List<Path> files() throws IOException {
    try (Stream<Path> files = Files.walk(output)) {
      return files.filter(Files::isRegularFile).map(output::relativize).sorted().toList();
    }
  }

  /** What a table holds of a row, in the order of its columns. */
  private static List<Object> values(Object row) {
    List<Object> values = new ArrayList<>();
    try {
      for (var component : row.getClass().getRecordComponents()) {
        Object value = component.getAccessor().invoke(row);
        if (component.getType().isRecord()) {
          values.addAll(values(value));
        } else if (value instanceof Enum<?> e) {
          values.add(e.name().toLowerCase(Locale.ROOT).replace('_', '-'));
        } else {
          values.add(value instanceof Instant i ? Timestamp.from(i) : value);
        }
      }
    } catch (ReflectiveOperationException e) {
      throw new LinkageError(e.getMessage(), e);
    }
    return values;
  }

  private static List<Object> values(Row row) {
    return java.util.stream.IntStream.range(0, row.size())
        .mapToObj(row::get)
        .collect(ArrayList::new, ArrayList::add, ArrayList::addAll);
  }

  @Test
  void everyTypeComesBackAsItWasWritten() {
    RunRow run = ResultsFixtures.run("a");
    List<EpochRow> epochs =
        List.of(ResultsFixtures.ssl("a", 1), ResultsFixtures.joint("a", 2, 0.5));
    WorkerRow worker = ResultsFixtures.worker("a", 2, 1);
    tables.write(run);
    tables.write(epochs);
    tables.write(worker);
    register();

    assertThat(values(spark.rows("select * from runs").get(0))).isEqualTo(values(run));
    assertThat(spark.rows("select * from epochs order by epoch").stream().map(TablesTest::values))
        .containsExactly(values(epochs.get(0)), values(epochs.get(1)));
    assertThat(values(spark.rows("select * from workers").get(0))).isEqualTo(values(worker));
    assertThat(spark.rows("select phase, pass, objective from epochs order by epoch"))
        .extracting(Row::toString)
        .containsExactly("[ssl,null,ssl]", "[mix,two-pass,joint]");
  }

  @Test
  void instantsAreKeptToTheMicrosecondAlsoBefore1970() {
    Instant early = Instant.parse("1969-12-31T23:59:59.999999Z");
    RunRow run = ResultsFixtures.run("a");
    tables.write(
        new RunRow(
            "a",
            RunRow.Status.FAILED,
            early,
            ResultsFixtures.NOON.plusNanos(999),
            "out of memory",
            run.setup(),
            run.versions(),
            run.progress(),
            "ab",
            true));
    register();

    Row row = spark.rows("select started, ended from runs").get(0);
    assertThat(row.getTimestamp(0).toInstant()).isEqualTo(early);
    assertThat(row.getTimestamp(1).toInstant()).isEqualTo(ResultsFixtures.NOON);
  }

  @Test
  void partsHaveNamesThatFollowFromTheirRowsAndNothingElseLiesThere() throws IOException {
    tables.write(ResultsFixtures.run("a"));
    tables.write(
        List.of(
            ResultsFixtures.ssl("a", 1),
            ResultsFixtures.ssl("a", 64),
            ResultsFixtures.ssl("a", 65)));
    tables.write(List.of(ResultsFixtures.worker("a", 128, 0), ResultsFixtures.worker("a", 128, 1)));

    assertThat(files())
        .extracting(Path::toString)
        .containsExactly(
            "tables/epochs/run_id=a/epochs-00001.parquet",
            "tables/epochs/run_id=a/epochs-00065.parquet",
            "tables/runs/run_id=a/run.parquet",
            "tables/workers/run_id=a/workers-00065.parquet");
  }

  @Test
  void aRepeatReplacesItsPartAndDoublesNothing() throws IOException {
    tables.write(List.of(ResultsFixtures.joint("a", 1, 0.25), ResultsFixtures.joint("a", 2, 0.5)));
    tables.write(List.of(ResultsFixtures.worker("a", 1, 0), ResultsFixtures.worker("a", 1, 1)));
    tables.write(List.of(ResultsFixtures.worker("a", 1, 0), ResultsFixtures.worker("a", 1, 1)));
    tables.write(ResultsFixtures.joint("a", 2, 0.75));
    register();

    assertThat(spark.rows("select epoch, validation_accuracy from epochs order by epoch"))
        .extracting(Row::toString)
        .containsExactly("[1,0.25]", "[2,0.75]");
    assertThat(spark.value("select count(*) from workers")).isEqualTo(2L);
    assertThat(files()).hasSize(2);
  }

  @Test
  void aWriteThatDiedHalfwayIsInvisible() throws IOException {
    tables.write(ResultsFixtures.ssl("a", 1));
    var path =
        new org.apache.hadoop.fs.Path(output + "/tables/epochs/run_id=a/epochs-00001.parquet");
    Path half = Path.of(new WholeFile(path, new Configuration()).hidden().toString());
    Files.writeString(half, "PAR1 and then the driver was killed");
    register();

    assertThat(spark.value("select count(*) from epochs")).isEqualTo(1L);
  }

  @Test
  void aFailedWriteLeavesWhatWasThereAndNoLitter() throws IOException {
    tables.write(ResultsFixtures.ssl("a", 1));
    Path inTheWay = output.resolve("tables/runs/run_id=a/run.parquet/file");
    Files.createDirectories(inTheWay.getParent());
    Files.writeString(inTheWay, "a directory with the name of a part");

    assertThatThrownBy(() -> tables.write(ResultsFixtures.run("a")))
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageContaining("cannot write run to")
        .hasMessageContaining("tables/runs/run_id=a");
    assertThat(files()).hasSize(2);
  }

  @Test
  void aMissingValueIsRefusedAndNamedAndTheOldRowStays() throws IOException {
    RunRow run = ResultsFixtures.run("a");
    tables.write(run);

    assertThatThrownBy(
            () ->
                tables.write(
                    new RunRow(
                        "a",
                        RunRow.Status.FAILED,
                        null,
                        null,
                        null,
                        run.setup(),
                        run.versions(),
                        run.progress(),
                        null,
                        null)))
        .hasMessage("runs.started is null");
    register();
    assertThat(spark.value("select status from runs")).isEqualTo("running");
    assertThat(files()).hasSize(1);
  }

  @Test
  void runsThatWriteAtTheSameTimeLoseNothing() throws Exception {
    int runs = 4;
    int epochs = 5;
    inParallel(
        runs,
        run -> {
          Tables own = new Tables(new Configuration(), output.toString());
          own.write(ResultsFixtures.run("run-" + run));
          for (int epoch = 1; epoch <= epochs; epoch++) {
            own.write(ResultsFixtures.ssl("run-" + run, epoch));
          }
        });
    register();

    assertThat(spark.rows("select run_id, epoch from epochs"))
        .hasSize(runs * epochs)
        .doesNotHaveDuplicates();
    assertThat(spark.rows("select run_id from runs")).hasSize(runs).doesNotHaveDuplicates();
  }

  @Test
  void writersOfOnePartLeaveOneWholePart() throws Exception {
    inParallel(
        4,
        writer -> {
          for (int i = 0; i < 10; i++) {
            tables.write(
                List.of(
                    ResultsFixtures.prediction("a", writer, 0, 1),
                    ResultsFixtures.prediction("a", 10, 1, 1)));
          }
        });
    register();

    assertThat(spark.value("select count(*) from predictions")).isEqualTo(2L);
    assertThat(files()).hasSize(1);
  }

  private interface Work {
    void run(int index);
  }

  private static void inParallel(int threads, Work work) throws Exception {
    ExecutorService pool = Executors.newFixedThreadPool(threads);
    try {
      List<Future<?>> done = new ArrayList<>();
      for (int i = 0; i < threads; i++) {
        int index = i;
        done.add(pool.submit(() -> work.run(index)));
      }
      for (Future<?> one : done) {
        one.get();
      }
    } finally {
      pool.shutdownNow();
    }
  }

  @Test
  void viewsHaveTheDocumentedColumnsTypesAndMeanings() {
    tables.write(ResultsFixtures.run("a"));
    tables.write(ResultsFixtures.ssl("a", 1));
    register();

    String docs = Tables.describe();
    for (Class<?> type : ResultRow.class.getPermittedSubclasses()) {
      Table table = Table.of(type);
      StructField[] columns = spark.get().table(table.name()).schema().fields();
      assertThat(columns).isEqualTo(table.schema().fields());
      assertDocumented(docs, table.name(), columns);
    }
    for (View view : View.ALL) {
      assertDocumented(docs, view.name(), spark.get().table(view.name()).schema().fields());
    }
    assertThat(docs)
        .contains("### `epochs`: one row per finished epoch of a run")
        .contains("| `run_id` | string | the run; partition of the table |")
        .contains("| `pass` | string, or null | input of the encoder in a joint step; null for ssl")
        .contains("(visible, corrupted, two-pass) |")
        .contains("| `peak_rss_bytes` | bigint, or null |")
        .contains("### `phase_cost` (view): one row per run and phase, in the order of training")
        .contains("| `device_seconds` | time that workers held devices to train, seconds");
  }

  private static void assertDocumented(String docs, String name, StructField[] columns) {
    String section = docs.substring(docs.indexOf("### `" + name));
    assertThat(section.lines().skip(4).takeWhile(line -> line.startsWith("|")))
        .as(name)
        .hasSameSizeAs(columns)
        .zipSatisfy(
            Arrays.asList(columns),
            (line, field) ->
                assertThat(line)
                    .startsWith("| `" + field.name() + "` | ")
                    .endsWith("| " + field.getComment().get() + " |"));
  }

  @Test
  void theManualsPageOfColumnsIsOfToday() throws IOException {
    assertThat(Path.of("src/site/markdown/columns.md"))
        .as("submit/mixtraining sql --describe > src/site/markdown/columns.md")
        .hasContent(Tables.describe());
  }

  @Test
  void aViewWhoseColumnsAreNotThoseDocumentedIsRefused() {
    var view =
        new View("odd", "one row", List.of(new View.Documented("x", "a number")), "select 1 y");

    assertThatThrownBy(() -> view.register(spark.get()))
        .hasMessage("view odd has the columns [y], and [x] are documented");
  }

  @Test
  void anOlderTableReadsAsNullWhereItLacksAColumn() {
    tables.write(ResultsFixtures.joint("new", 1, 0.5));
    spark
        .get()
        .sql("select 3 as epoch, 'sl' as phase, 7L as images, 'gone' as a_column_since_removed")
        .write()
        .parquet(output + "/tables/epochs/run_id=old");
    register();

    assertThat(
            spark.rows(
                "select run_id, epoch, phase, loss, images from (select *, train_loss as loss from epochs) order by run_id"))
        .extracting(Row::toString)
        .containsExactly("[new,1,mix,1.5,1000]", "[old,3,sl,null,7]");
  }

  @Test
  void anOlderFileGrowsByNewRowsAndKeepsItsOwn() {
    String older = output + "/tables/epochs/run_id=a/epochs-00001.parquet";
    spark
        .get()
        .sql("select 1 as epoch, 'sl' as phase, 7L as images, 'gone' as a_column_since_removed")
        .coalesce(1)
        .write()
        .parquet(output + "/older");
    try (var parts = Files.list(output.resolve("older"))) {
      Path part = parts.filter(p -> p.toString().endsWith(".parquet")).findFirst().orElseThrow();
      Files.createDirectories(Path.of(older).getParent());
      Files.move(part, Path.of(older));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }

    tables.write(ResultsFixtures.joint("a", 2, 0.5));
    register();

    assertThat(spark.rows("select epoch, phase, train_loss, images from epochs"))
        .extracting(Row::toString)
        .containsExactly("[1,sl,null,7]", "[2,mix,1.5,2000]");
  }

  @Test
  void aThousandEpochsAreFewFiles() throws IOException {
    for (int epoch = 1; epoch <= 1000; epoch += 37) {
      tables.write(
          List.of(ResultsFixtures.worker("a", epoch, 1), ResultsFixtures.worker("a", epoch, 0)));
    }
    register();

    assertThat(files()).hasSizeLessThanOrEqualTo(16);
    assertThat(spark.rows("select epoch, worker from workers"))
        .hasSize(2 * 28)
        .doesNotHaveDuplicates();
  }

  @Test
  void aTableThatNobodyWroteIsEmptyWithItsColumns() {
    tables.write(ResultsFixtures.run("a"));
    register();

    assertThat(spark.rows("select * from phase_cost")).isEmpty();
    assertThat(spark.get().table("epochs").schema()).isEqualTo(Table.of(EpochRow.class).schema());
  }

  @Test
  void runIdsThatLookLikeNumbersOrDatesStayText() {
    List.of("007", "1e3", "2026-03-01", "a.b_c-d")
        .forEach(id -> tables.write(ResultsFixtures.run(id)));
    register();

    assertThat(spark.rows("select run_id from runs order by run_id"))
        .extracting(row -> row.getString(0))
        .containsExactly("007", "1e3", "2026-03-01", "a.b_c-d");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", ".", "..", "a/b", "../a", "a=b", "a b", "a%2Fb", "ä", "-rf", "_x", "a\nb"})
  void aRunIdThatCannotNameADirectoryIsRefused(String id) throws IOException {
    assertThatThrownBy(() -> tables.write(ResultsFixtures.run(id)))
        .isInstanceOf(UserException.class)
        .hasMessage(
            "mixtraining.run.id = \"%s\": must be 1 to 80 letters, digits and . _ - with a letter or digit first",
            id);
    assertThat(files()).isEmpty();
  }

  @Test
  void anOutputWithoutTablesIsNamed() {
    String nowhere = output.resolve("nowhere").toString();
    assertThatThrownBy(() -> Tables.register(spark.get(), nowhere))
        .isInstanceOf(UserException.class)
        .hasMessage(
            "mixtraining.run.output: no result tables at %s/tables; train a run first, or give the output directory of one",
            nowhere);
  }

  @Test
  void anOutputOfAnUnknownSchemeIsNamed() {
    assertThatThrownBy(() -> Tables.register(spark.get(), "nofs://host/x"))
        .isInstanceOf(UserException.class)
        .hasMessage("mixtraining.run.output: nofs://host/x: No FileSystem for scheme \"nofs\"");
    assertThatThrownBy(
            () -> new Tables(new Configuration(), "nofs://host/x").write(ResultsFixtures.run("a")))
        .isInstanceOf(UserException.class)
        .hasMessage("mixtraining.run.output: nofs://host/x: No FileSystem for scheme \"nofs\"");
  }

  @Test
  void anOutputMayHaveAnyCharactersInItsName() {
    String odd = output.resolve("ä [1] {b,c} x=1 d?*: it's \\ %20#").toString();
    var there = new Tables(new Configuration(), odd);
    there.write(List.of(ResultsFixtures.run("007"), ResultsFixtures.run("2024-01-05")));
    Tables.register(spark.get(), odd);

    assertThat(spark.rows("select run_id from runs order by run_id"))
        .extracting(Row::toString)
        .containsExactly("[007]", "[2024-01-05]");

    SparkSession fresh = spark.get().newSession();
    Statements.split(there.define(Dialect.SPARK)).forEach(fresh::sql);
    try {
      assertThat(fresh.sql("select run_id from runs order by run_id").collectAsList())
          .extracting(Row::toString)
          .containsExactly("[007]", "[2024-01-05]");
    } finally {
      fresh.sql("drop table runs");
    }
  }

  /**
   * A file system as plain as they come: its rename replaces nothing, and FileContext is unaware.
   */
  public static final class PlainFileSystem extends RawLocalFileSystem {
    @Override
    public URI getUri() {
      return URI.create("plain:///");
    }

    @Override
    public String getScheme() {
      return "plain";
    }

    @Override
    public boolean rename(org.apache.hadoop.fs.Path from, org.apache.hadoop.fs.Path to)
        throws IOException {
      return !exists(to) && super.rename(from, to);
    }
  }

  @Test
  void anyFileSystemOfHadoopWillDo() throws IOException {
    Configuration conf = new Configuration();
    conf.set("fs.plain.impl", PlainFileSystem.class.getName());
    Tables plain = new Tables(conf, "plain://" + output);
    plain.write(ResultsFixtures.joint("a", 1, 0.25));
    plain.write(ResultsFixtures.joint("a", 1, 0.5));
    register();

    assertThat(spark.value("select validation_accuracy from epochs")).isEqualTo(0.5);
    assertThat(files()).hasSize(1);
  }

  @Test
  void aFileSystemThatCanReplaceIsAskedTo() {
    Configuration conf = new Configuration();
    conf.set("fs.viewfs.mounttable.default.link./mount", output.toUri().toString());
    Tables mounted = new Tables(conf, "viewfs:///mount");
    mounted.write(ResultsFixtures.joint("a", 1, 0.25));
    mounted.write(ResultsFixtures.joint("a", 1, 0.5));
    register();

    assertThat(spark.rows("select validation_accuracy from epochs"))
        .extracting(Row::toString)
        .containsExactly("[0.5]");
  }

  @Test
  void phaseCostAddsUpThePhasesOfARunInTheirOrder() {
    tables.write(
        List.of(
            ResultsFixtures.ssl("a", 1),
            ResultsFixtures.ssl("a", 2),
            ResultsFixtures.joint("a", 3, 0.5),
            ResultsFixtures.ssl("b", 1)));
    tables.write(
        List.of(
            ResultsFixtures.worker("a", 1, 0),
            ResultsFixtures.worker("a", 1, 1),
            ResultsFixtures.worker("a", 2, 0),
            ResultsFixtures.worker("a", 3, 1)));
    register();

    assertThat(spark.rows("select * from phase_cost"))
        .extracting(Row::toString)
        .containsExactly(
            "[a,ssl,2,3000,37.5,3.0E15,124.0,4.0,3.0E12,7.0]",
            "[a,mix,1,3000,37.5,3.0E15,44.0,2.0,3.0E12,3.5]",
            "[b,ssl,1,1000,12.5,1.0E15,null,2.0,1.0E12,3.5]");
    assertThat(spark.get().table("phase_cost").columns())
        .containsExactly(
            "run_id",
            "phase",
            "epochs",
            "images",
            "seconds",
            "flops",
            "device_seconds",
            "evaluation_seconds",
            "evaluation_flops",
            "evaluation_device_seconds");
    assertThat(
            spark.rows(
                "select epoch, worker, seconds, mean_seconds from slowest_workers where run_id = 'a'"))
        .extracting(Row::toString)
        .containsExactly("[1,1,11.0,10.5]", "[2,0,10.0,10.0]", "[3,1,11.0,11.0]");
  }

  /** Rows of versions that counted a worker as one device, whatever its threads. */
  @Test
  void olderRowsAreCountedInDevicesToo() {
    String config =
        JobConfig.load(Optional.empty(), List.of("workers.threads-per-worker=3")).canonical();
    for (String id : List.of("older", "newer")) {
      Integer devices = id.equals("newer") ? 3 : null;
      RunRow sample = ResultsFixtures.run(id);
      RunRow.Setup setup = ResultsFixtures.setup(1);
      tables.write(
          new RunRow(
              id,
              RunRow.Status.FINISHED,
              sample.started(),
              null,
              null,
              new RunRow.Setup(setup.pipeline(), setup.model(), 1, 1, 1, 1, "p", id, null, config),
              sample.versions(),
              new Progress(
                  1, 0.5, 1, 0.5, 0.5, 1, 1, 1, devices == null ? 10 : 30, devices, 1.0, 1.0, 1.0),
              null,
              null));
      tables.write(new ComparisonRow(id, "c", id, 1, 1, "mix", "mix"));
      tables.write(ResultsFixtures.ssl(id, 1));
      WorkerRow worker = ResultsFixtures.worker(id, 1, 0);
      tables.write(
          new WorkerRow(
              id,
              1,
              0,
              worker.host(),
              worker.executor(),
              "cpu",
              1,
              1,
              1,
              10,
              1,
              null,
              null,
              0,
              1,
              devices));
    }
    register();

    for (String view : List.of("pareto", "settings", "phase_cost")) {
      assertThat(spark.rows("select device_seconds from " + view))
          .as(view)
          .extracting(Row::toString)
          .containsExactly("[30.0]", "[30.0]");
    }
  }

  @Test
  void classRowsAreStoredAndAddUpToTheirTask() {
    ClassRow first = ResultsFixtures.ofClass("a", 3, Split.TEST, 0, 30, 1);
    tables.write(
        List.of(
            first,
            ResultsFixtures.ofClass("a", 3, Split.TEST, 1, 10, 0.5),
            ResultsFixtures.ofClass("a", 3, Split.VALIDATION, 1, 5, 0.25)));
    register();

    assertThat(values(spark.rows("select * from classes where label = 0").get(0)))
        .isEqualTo(values(first));
    assertThat(spark.rows("select * from task_accuracy"))
        .extracting(Row::toString)
        .containsExactly(
            "[a,3,test,main,40,0.875,0.9375,0.5]", "[a,3,validation,main,5,0.25,0.9375,0.25]");
  }

  @Test
  void confusionCountsWhatEachLabelWasTakenFor() {
    PredictionRow first = ResultsFixtures.prediction("a", 7, 0, 0);
    tables.write(
        List.of(
            first,
            ResultsFixtures.prediction("a", 3, 0, 1),
            ResultsFixtures.prediction("a", 4, 0, 0),
            ResultsFixtures.prediction("a", 5, 0, 0),
            ResultsFixtures.prediction("a", 9, 1, 0),
            ResultsFixtures.prediction("b", 9, 1, 1)));
    register();

    assertThat(values(spark.rows("select * from predictions where id = 7").get(0)))
        .isEqualTo(values(first));
    assertThat(spark.rows("select * from confusion"))
        .extracting(Row::toString)
        .containsExactly(
            "[a,test,main,0,class 0,0,class 0,3,0.75]",
            "[a,test,main,0,class 0,1,class 1,1,0.25]",
            "[a,test,main,1,class 1,0,class 0,1,1.0]",
            "[b,test,main,1,class 1,1,class 1,1,1.0]");
  }

  private static RunRow finished(String id, String data, Double accuracy, double seconds) {
    RunRow run = ResultsFixtures.run(id);
    RunRow.Setup s = run.setup();
    return new RunRow(
        id,
        RunRow.Status.FINISHED,
        run.started(),
        ResultsFixtures.NOON,
        null,
        new RunRow.Setup(
            s.pipeline(),
            s.model(),
            s.parameters(),
            s.seed(),
            s.workers(),
            s.epochsPlanned(),
            s.datasetPath(),
            data,
            null,
            s.config()),
        run.versions(),
        new RunRow.Progress(4, accuracy, 4, null, accuracy, 1, 2, 3, seconds, 1, 1.0, 1.0, 1.0),
        "ab",
        false);
  }

  @Test
  void paretoHoldsTheRunsThatNoOtherOnTheSameImagesBeats() {
    tables.write(
        List.of(
            finished("cheap", "x", 0.25, 10),
            finished("as-cheap", "x", 0.125, 10),
            finished("as-good", "x", 0.25, 11),
            finished("good", "x", 0.5, 99),
            finished("twin", "x", 0.5, 99),
            finished("blind", "x", null, 1),
            finished("elsewhere", "y", 0.125, 500),
            ResultsFixtures.run("running")));
    register();

    assertThat(spark.rows("select run_id from pareto"))
        .extracting(row -> row.getString(0))
        .containsExactly("cheap", "good", "twin", "elsewhere");
  }

  // --- other engines' catalogs -------------------------------------------------------------------

  @Test
  void aCatalogLearnsOfTheTablesAndTheirRuns() {
    tables.write(List.of(ResultsFixtures.ssl("a", 1), ResultsFixtures.ssl("b-1", 1)));
    SparkSession fresh = spark.get().newSession(); // in which no view has a table's name
    for (String statement : Statements.split(tables.define(Dialect.SPARK))) {
      fresh.sql(statement);
    }
    try {
      assertThat(fresh.sql("select run_id, epoch from epochs order by run_id").collectAsList())
          .extracting(Row::toString)
          .containsExactly("[a,1]", "[b-1,1]");
      assertThat(fresh.table("epochs").schema())
          .isEqualTo(
              new StructType(
                  Stream.concat(
                          Arrays.stream(Table.of(EpochRow.class).schema().fields()).skip(1),
                          Arrays.stream(Table.of(EpochRow.class).schema().fields()).limit(1))
                      .toArray(StructField[]::new)));
    } finally {
      fresh.sql("drop table epochs");
    }
  }

  @Test
  void theDefinitionForHiveIsSqlAndNamesThePlace() throws Exception {
    tables.write(ResultsFixtures.ssl("a", 1));
    tables.write(ResultsFixtures.run("a"));

    String sql = tables.define(Dialect.HIVE);

    List<String> statements = Statements.split(sql);
    assertThat(statements).hasSize(4);
    for (String statement : statements) {
      spark.get().sessionState().sqlParser().parsePlan(statement);
    }
    assertThat(statements.get(0))
        .startsWith(
            "CREATE EXTERNAL TABLE IF NOT EXISTS `runs` (\n  `status` STRING COMMENT 'status")
        .contains("PARTITIONED BY (`run_id` STRING COMMENT 'the run; partition of the table')")
        .endsWith("STORED AS PARQUET\nLOCATION 'file:%s/tables/runs'".formatted(output));
    assertThat(statements.get(3)).isEqualTo("MSCK REPAIR TABLE `epochs`");
  }

  @Test
  void withoutTablesThereIsNothingToDefine() {
    assertThatThrownBy(() -> tables.define(Dialect.HIVE))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("no result tables at");
  }
}
