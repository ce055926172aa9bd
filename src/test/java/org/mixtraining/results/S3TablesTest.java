package org.mixtraining.results;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.files.S3Server;
import org.mixtraining.results.RunRow.Progress;

/**
 * Tables in an S3 store that takes 200 ms a call and fails each 50th, polled while they are
 * written.
 */
@Tag("object-store")
class S3TablesTest {
  private static final int EPOCHS = 20;

  @TempDir Path directory;

  @Test
  void noReaderSeesATableWithoutItsRows() throws Exception {
    ExecutorService threads = Executors.newSingleThreadExecutor();
    try (S3Server server = new S3Server(directory, Duration.ofMillis(200), 50)) {
      Configuration conf = server.configuration();
      Tables written = new Tables(conf, "s3a://bucket/runs");
      written.write(runAfter(0));
      AtomicBoolean over = new AtomicBoolean();
      Future<Integer> reader = threads.submit(() -> poll(conf, over));

      for (int epoch = 1; epoch <= EPOCHS; epoch++) {
        written.write(ResultsFixtures.ssl("a", epoch));
        written.write(runAfter(epoch));
      }
      over.set(true);

      assertThat(reader.get()).isGreaterThan(EPOCHS);
      assertThat(new Part(epochs(), conf).read()).hasSize(EPOCHS);
    } finally {
      threads.shutdownNow();
    }
  }

  /** Reads until it is over, and once more: how often it did. */
  private static int poll(Configuration conf, AtomicBoolean over) throws IOException {
    Tables read = new Tables(conf, "s3a://bucket/runs");
    int polls = 0;
    int before = 0;
    for (boolean last = false; !last; polls++) {
      last = over.get();
      int done = read.run("a").orElseThrow().progress().epochsDone();
      int rows = new Part(epochs(), conf).read().size();
      assertThat(rows).isBetween(Math.max(before, done), EPOCHS);
      before = rows;
    }
    assertThat(before).isEqualTo(EPOCHS);
    return polls;
  }

  /** The row of a run that has the rows of so many epochs. */
  private static RunRow runAfter(int epochs) {
    RunRow row = ResultsFixtures.run("a");
    Progress progress = Progress.NONE;
    for (int epoch = 1; epoch <= epochs; epoch++) {
      progress = progress.plus(ResultsFixtures.ssl("a", epoch), List.of());
    }
    return new RunRow(
        row.runId(),
        row.status(),
        row.started(),
        null,
        null,
        row.setup(),
        row.versions(),
        progress,
        null,
        null);
  }

  private static org.apache.hadoop.fs.Path epochs() {
    return new org.apache.hadoop.fs.Path(
        "s3a://bucket/runs/tables/epochs/run_id=a/epochs-00001.parquet");
  }
}
