package org.mixtraining.results;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class TableTest {
  @TableRow(table = "flags", oneRowPer = "flag")
  record FlagRow(
      @Column("the run") String runId,
      @Column("up or not") boolean isUp,
      @Column("seen by somebody") Boolean seenBy2) {}

  @TableRow(table = "lists", oneRowPer = "list")
  record ListRow(@Column("the run") String runId, @Column("not a column") List<String> names) {}

  @TableRow(table = "bare", oneRowPer = "row")
  record BareRow(@Column("the run") String runId, int count) {}

  @TableRow(table = "twice", oneRowPer = "row")
  record TwiceRow(@Column("the run") String runId, Group group, @Column("count") int count) {
    record Group(@Column("count") int count) {}
  }

  @TableRow(table = "headless", oneRowPer = "row")
  record HeadlessRow(@Column("count") int count) {}

  @Test
  void booleansAndBoxedBooleansAreColumns() {
    Table table = Table.of(FlagRow.class);

    assertThat(table.describe())
        .isEqualTo(
            """
            ### `flags`: one row per flag

            | column | type | meaning |
            |---|---|---|
            | `run_id` | string | the run |
            | `is_up` | boolean | up or not |
            | `seen_by2` | boolean, or null | seen by somebody |
            """);
    assertThat(table.group(new FlagRow("a", true, null)).toString()).isEqualTo("is_up: true\n");
    assertThat(table.parquet().getFields()).hasSize(2);
  }

  @Test
  void aRecordThatIsNoTableIsNamed() {
    assertThatThrownBy(() -> Table.of(ListRow.class))
        .hasMessage("ListRow.names of type List cannot be a column");
    assertThatThrownBy(() -> Table.of(BareRow.class))
        .hasMessage("BareRow.count of type int lacks @Column");
    assertThatThrownBy(() -> Table.of(TwiceRow.class))
        .hasMessage(
            "columns of twice must be unique and start with run_id: [run_id, count, count]");
    assertThatThrownBy(() -> Table.of(HeadlessRow.class))
        .hasMessageStartingWith("columns of headless must be unique and start with run_id");
    assertThatThrownBy(() -> Table.of(String.class)).hasMessage("String lacks @TableRow");
  }
}
