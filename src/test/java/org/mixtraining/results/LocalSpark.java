package org.mixtraining.results;

import java.util.List;
import java.util.function.Supplier;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** A Spark session in this process, for the tests of one class. */
final class LocalSpark implements BeforeAllCallback, AfterAllCallback, Supplier<SparkSession> {
  private SparkSession session;

  @Override
  public void beforeAll(ExtensionContext context) {
    session =
        SparkSession.builder()
            .master("local[2]")
            .config("spark.ui.enabled", false)
            .config("spark.sql.shuffle.partitions", 1)
            .config("spark.sql.codegen.wholeStage", false)
            .config("spark.sql.session.timeZone", "America/New_York")
            .config("spark.sql.warehouse.dir", "target/spark-warehouse")
            .getOrCreate();
    session.sparkContext().setLogLevel("OFF");
  }

  @Override
  public void afterAll(ExtensionContext context) {
    session.stop();
  }

  @Override
  public SparkSession get() {
    return session;
  }

  List<Row> rows(String sql) {
    return session.sql(sql).collectAsList();
  }

  /** The one value that a query returns. */
  Object value(String sql) {
    return session.sql(sql).head().get(0);
  }
}
