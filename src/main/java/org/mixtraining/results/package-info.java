/**
 * The result tables of runs, in Parquet, for SQL.
 *
 * <p>A table's rows are records, and the record is the schema: {@link
 * org.mixtraining.results.RunRow}, {@link org.mixtraining.results.EpochRow}, {@link
 * org.mixtraining.results.WorkerRow}, {@link org.mixtraining.results.ClassRow}, {@link
 * org.mixtraining.results.PredictionRow}, {@link org.mixtraining.results.ComparisonRow} and {@link
 * org.mixtraining.results.FeatureRow} carry a {@link org.mixtraining.results.Column} on every
 * component, from which {@link org.mixtraining.results.Table} derives the Parquet file's schema,
 * the Spark view's schema and the documentation. A new component is a new column; older files read
 * as null there.
 *
 * <p>{@link org.mixtraining.results.Tables} writes the rows of one run to files with names that
 * follow from the rows, {@code <output>/tables/epochs/run_id=<id>/epochs-00001.parquet}, each as a
 * {@link org.mixtraining.files.WholeFile}. So a repeat replaces what it repeats, and a crash leaves
 * nothing that a reader would see. Rows {@link org.mixtraining.results.EpochScoped} share a file by
 * the dozens.
 *
 * <p>{@link org.mixtraining.results.Query} runs SQL over the tables and the {@link
 * org.mixtraining.results.View}s made of them; other engines read the files as they lie, or learn
 * of them by a {@link org.mixtraining.results.Dialect} of SQL. {@link
 * org.mixtraining.results.RowReader} gives the rows back as records.
 */
package org.mixtraining.results;
