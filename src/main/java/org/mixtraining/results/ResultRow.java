package org.mixtraining.results;

/**
 * A row of a result table. The permitted records are all the tables there are.
 *
 * <p>A component is a {@link Column}, or a record that groups more columns.
 */
public sealed interface ResultRow
    permits RunRow, EpochRow, WorkerRow, ClassRow, PredictionRow, ComparisonRow, FeatureRow {
  /** The run it belongs to: the partition of every table. */
  String runId();

  /**
   * The part of its run that it is written with, a file name without extension. Rows with one part
   * are written together, and replace what was written under that part before; those of an {@link
   * EpochScoped} replace that of their epoch only.
   */
  String part();
}
