package org.mixtraining.data.sources;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.spark.sql.SparkSession;
import org.mixtraining.config.DataConfig;
import org.mixtraining.config.UserException;
import org.mixtraining.data.Note;
import org.mixtraining.data.Split;

/**
 * The Parquet tables of a directory, by their footers. The split of a table is the one that its
 * name, or else its directory's, begins with ({@code train-00000-of-00002.parquet}, {@code
 * validation/0000.parquet}); otherwise it is the train split.
 *
 * @param root directory that the tables are below
 */
record ParquetTables(String root, List<ParquetTable> tables, List<Note> notes) {
  private static final String EXPECTED =
      "one with Parquet tables of image: struct<bytes, path> or binary, and label: integer or string";

  /** The labelled tables of {@code data.source}. */
  static ParquetTables open(DataConfig data, SparkSession spark) throws IOException {
    var listing = Listing.of(data.raw().source(), EXPECTED, spark);
    var files = new ArrayList<Listing.Entry>();
    for (var file : listing.walk()) {
      if (ParquetTable.isOne(file.name())) {
        files.add(file);
      } else {
        listing.notes().add("not a Parquet table, skipped", file.name());
      }
    }
    if (files.isEmpty()) {
      throw new UserException(
          "mixtraining.data.source: no *.parquet in %s; expected %s"
              .formatted(listing.root(), EXPECTED));
    }
    var tables = new ArrayList<ParquetTable>();
    for (var file : files) {
      var path = listing.path(file.name());
      tables.add(
          ParquetTable.guarded(
              "mixtraining.data.source: " + path,
              () ->
                  ParquetTable.labelled(
                      file.name(), path, data, spark.sparkContext().hadoopConfiguration())));
    }
    var all = new ParquetTables(listing.root().toString(), moved(tables), listing.notes().list());
    if (all.of(Split.TRAIN).stream().allMatch(table -> table.rows().isEmpty())) {
      throw new UserException(
          "mixtraining.data.source: no training images among the tables %s of %s"
              .formatted(
                  files.stream().map(Listing.Entry::name).limit(10).toList(), listing.root()));
    }
    return all;
  }

  /** With no test tables, the validation tables are the test split, as in {@link Folder}. */
  private static List<ParquetTable> moved(List<ParquetTable> tables) {
    boolean test = tables.stream().anyMatch(table -> table.split() == Split.TEST);
    return tables.stream()
        .map(table -> table.split() == Split.VALIDATION && !test ? table.in(Split.TEST) : table)
        .toList();
  }

  /** The tables of a split, in order of their names. */
  List<ParquetTable> of(Split split) {
    return tables.stream().filter(table -> table.split() == split).toList();
  }

  /** Whether labels are class names, which is so of all tables or of none. */
  boolean areNamed() {
    var columns = tables.stream().map(t -> t.label() + (t.named() ? ": string" : ": integer"));
    var kinds = columns.distinct().toList();
    if (kinds.size() > 1) {
      throw new UserException(
          "mixtraining.data.source: the tables of %s have different labels: %s"
              .formatted(root, kinds));
    }
    return tables.get(0).named();
  }

  /**
   * The name of each label: the strings that they are, or those noted in the tables, which may name
   * a class more than once, else the numbers up to the largest.
   */
  List<String> labels() {
    if (areNamed()) {
      return checked(tables.stream().flatMap(t -> t.names().stream()).sorted().distinct().toList());
    }
    var noted =
        tables.stream().map(ParquetTable::names).filter(n -> !n.isEmpty()).distinct().toList();
    if (noted.size() > 1) {
      throw new UserException(
          "mixtraining.data.source: the tables of %s have different class names: %s and %s classes"
              .formatted(root, noted.get(0).size(), noted.get(1).size()));
    }
    if (noted.isEmpty()) {
      long classes = tables.stream().mapToLong(ParquetTable::largest).max().orElse(-1) + 1;
      check(classes);
      return IntStream.range(0, (int) classes).mapToObj(Integer::toString).toList();
    }
    return checked(noted.get(0));
  }

  private List<String> checked(List<String> classes) {
    check(classes.size());
    return classes;
  }

  private void check(long classes) {
    if (classes < 1 || classes > ParquetTable.MOST_CLASSES) {
      throw new UserException(
          "mixtraining.data.source: the tables of %s have %s classes according to their class names or the statistics of the column %s; allowed: 1 to %s"
              .formatted(
                  root, Math.max(0, classes), tables.get(0).label(), ParquetTable.MOST_CLASSES));
    }
  }
}
