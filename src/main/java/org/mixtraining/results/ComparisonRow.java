package org.mixtraining.results;

/** Membership of a run in a comparison; written before the run starts. */
@TableRow(table = "comparisons", oneRowPer = "run of a comparison, begun or not")
public record ComparisonRow(
    @Column("the run; partition of the table") String runId,
    @Column("name of the comparison") String comparison,
    @Column("the dataset, by its name in the comparison") String dataset,
    @Column("share of the training images used, 0 to 1") double fraction,
    @Column("share of their labels used, 0 to 1") double labelFraction,
    @Column("the arm, by its name in the comparison") String arm,
    @Column("the arm that gains are relative to") String baseline)
    implements ResultRow {

  @Override
  public String part() {
    return "comparison";
  }
}
