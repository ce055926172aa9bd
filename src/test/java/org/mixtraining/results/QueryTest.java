package org.mixtraining.results;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.config.UserException;

class QueryTest {
  @RegisterExtension static final LocalSpark spark = new LocalSpark();

  private static final String SMALL =
      """
      select * from values
        ('plain', 3, 0.5543219D, true, timestamp'2026-03-01 12:00:00.5Z'),
        ('with "quotes", commas\\nand lines', 12000, 1.6384e16D, false, null),
        ('', null, null, null, timestamp'2026-03-02 00:00:00Z')
        as t(name, count, x, ok, at)
      """;

  @BeforeAll
  static void register(@TempDir Path output) {
    Tables tables = new Tables(new Configuration(), output.toString());
    tables.write(ResultsFixtures.run("a"));
    tables.write(ResultsFixtures.joint("a", 1, 0.5));
    Tables.register(spark.get(), output.toString());
  }

  private static String print(Format format, String sql) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    new Query(spark.get(), format, new PrintStream(out, false, StandardCharsets.UTF_8)).run(sql);
    return out.toString(StandardCharsets.UTF_8);
  }

  private static String text(String sql) {
    return print(Format.TEXT, sql);
  }

  @Test
  void textIsAlignedAndCompact() {
    assertThat(text(SMALL))
        .isEqualTo(
            """
            name                              count          x  ok     at
            --------------------------------  -----  ---------  -----  --------------------
            plain                                 3    0.55432  true   2026-03-01T12:00:00Z
            with "quotes", commas\\nand lines  12000  1.6384e16  false  -
                                                  -          -  -      2026-03-02T00:00:00Z
            """);
  }

  @Test
  void jsonIsAnArrayOfObjects() {
    assertThat(print(Format.JSON, SMALL))
        .isEqualTo(
            """
            [
            {"name":"plain","count":3,"x":0.5543219,"ok":true,"at":"2026-03-01T12:00:00.500Z"},
            {"name":"with \\"quotes\\", commas\\nand lines","count":12000,"x":1.6384E16,"ok":false,"at":null},
            {"name":"","count":null,"x":null,"ok":null,"at":"2026-03-02T00:00:00Z"}
            ]
            """);
  }

  @Test
  void csvQuotesWhatNeedsIt() {
    assertThat(print(Format.CSV, SMALL))
        .isEqualTo(
            """
            name,count,x,ok,at
            plain,3,0.5543219,true,2026-03-01T12:00:00.500Z
            "with ""quotes"", commas
            and lines",12000,1.6384E16,false,
            "",,,,2026-03-02T00:00:00Z
            """);
  }

  @Test
  void numbersKeepTheDigitsThatMatter() {
    assertThat(
            text("""
                select x from values (0D), (-0.000123456D), (0.0000123456D), (99.99999D), (123456.7D),
                  (1234567.8D), (12345678.9D), (-2.5e-9D), (double('NaN')), (double('-inf')), (2D) t(x)
                """)
                .lines()
                .skip(2)
                .map(String::strip))
        .containsExactly(
            "0",
            "-0.00012346",
            "1.2346e-5",
            "100",
            "123457",
            "1234568",
            "1.2346e7",
            "-2.5e-9",
            "NaN",
            "-Infinity",
            "2");
    assertThat(text("select 1.50 as decimal, 2.5F as float, 9223372036854775807L as big"))
        .endsWith("   1.50    2.5  9223372036854775807\n");
    assertThat(print(Format.JSON, "select 1e-7 as a, double('NaN') as b, 0.10 as c"))
        .isEqualTo("[\n{\"a\":1.0E-7,\"b\":\"NaN\",\"c\":0.10}\n]\n");
  }

  @Test
  void listsStructsAndMapsArePrintedAsJson() {
    String sql =
        "select array(1, null) as a, named_struct('x', 1.5D, 'y', 'q') as s, map('k', 2) as m";
    assertThat(print(Format.JSON, sql))
        .isEqualTo("[\n{\"a\":[1,null],\"s\":{\"x\":1.5,\"y\":\"q\"},\"m\":{\"k\":2}}\n]\n");
    assertThat(text(sql)).endsWith("[1,null]  {\"x\":1.5,\"y\":\"q\"}  {\"k\":2}\n");
    assertThat(print(Format.CSV, sql))
        .isEqualTo(
            "a,s,m\n\"[1,null]\",\"{\"\"x\"\":1.5,\"\"y\"\":\"\"q\"\"}\",\"{\"\"k\"\":2}\"\n");
  }

  @Test
  void noRowsIsStillAnAnswer() {
    String sql = "select epoch, phase from epochs where epoch > 9";
    assertThat(text(sql)).isEqualTo("epoch  phase\n-----  -----\n(no rows)\n");
    assertThat(print(Format.JSON, sql)).isEqualTo("[]\n");
    assertThat(print(Format.CSV, sql)).isEqualTo("epoch,phase\n");
  }

  @Test
  void longTextIsCutUnlessItIsAllThatWasAskedFor() {
    assertThat(text("select repeat('x', 100) as long, 1 as one"))
        .contains("x".repeat(79) + "…    1");
    assertThat(text("select repeat('x', 100) as long")).contains("x".repeat(100));
    assertThat(print(Format.CSV, "select repeat('x', 100), 1")).contains("x".repeat(100));
  }

  @Test
  void everyStatementIsAnsweredInTurn() {
    assertThat(
            text(
                """
                -- best epochs; of every run
                create or replace temp view best as select run_id, max(test_accuracy) as top from epochs group by 1;
                select * from best;
                select phase, epochs, images from phase_cost;
                """))
        .isEqualTo(
            """
            run_id   top
            ------  ----
            a       0.25

            phase  epochs  images
            -----  ------  ------
            mix         1    1000
            """);
  }

  @Test
  void describeTellsWhatAColumnMeans() {
    assertThat(text("describe epochs"))
        .containsPattern("(?m)^epoch +int +position in the run, from 1$")
        .containsPattern("(?m)^run_id +string +the run; partition of the table$");
  }

  @Test
  void aMistypedColumnIsOneLineWithASuggestion() {
    assertThatThrownBy(() -> text("select\n  validation_acuracy from epochs"))
        .isInstanceOf(UserException.class)
        .hasMessageStartingWith(
            "sql: [UNRESOLVED_COLUMN.WITH_SUGGESTION] A column or function parameter with name"
                + " `validation_acuracy` cannot be resolved. Did you mean one of the following?"
                + " [`validation_accuracy`")
        .hasMessageEndingWith("(line 2, position 2)")
        .hasMessageNotContaining("\n");
  }

  @Test
  void aMistypedTableIsOneLineWithTheTablesThereAre() {
    assertThatThrownBy(() -> text("select 1; select * from epoch"))
        .isInstanceOf(UserException.class)
        .hasMessage(
            "sql, statement 2: [TABLE_OR_VIEW_NOT_FOUND] The table or view `epoch` cannot be found."
                + " There are: runs, epochs, workers, classes, predictions, comparisons, features, phase_cost, slowest_workers, task_accuracy, confusion, pareto, settings. (line 1, position 14)");
  }

  @Test
  void aSyntaxErrorIsOneLineWithItsPlace() {
    assertThatThrownBy(() -> text("select epoch\nfrom epochs whre epoch = 1"))
        .isInstanceOf(UserException.class)
        .hasMessage(
            "sql: [PARSE_SYNTAX_ERROR] Syntax error at or near 'epoch'. (line 2, position 17)");
  }

  @Test
  void anErrorWhileRunningIsOneLineToo() {
    assertThatThrownBy(() -> text("select element_at(array(epoch), epoch - 1) from epochs"))
        .isInstanceOf(UserException.class)
        .hasMessageStartingWith("sql: [INVALID_INDEX_OF_ZERO]")
        .hasMessageNotContaining("\n");
  }

  @Test
  void twoColumnsOfOneNameCannotBeJson() {
    assertThat(text("select 1 as x, 2 as x")).contains("1  2");
    assertThatThrownBy(() -> print(Format.JSON, "select 1 as x, 2 as x"))
        .isInstanceOf(UserException.class)
        .hasMessage("sql: two columns are named x; rename one of them (\"as ...\") to print JSON");
  }

  @Test
  void noStatementIsRefused() {
    assertThatThrownBy(() -> text(" ; -- nothing"))
        .isInstanceOf(UserException.class)
        .hasMessage(
            "sql: no statement given; expected SQL over runs, epochs, workers, classes, predictions, comparisons, features, phase_cost, slowest_workers, task_accuracy, confusion, pareto, settings");
  }
}
