package org.mixtraining.results;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.files.S3Server;

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
      written.write(ResultsFixtures.run("a"));
      AtomicBoolean over = new AtomicBoolean();
      Future<Integer> reader =
          threads.submit(
              () -> {
                Tables read = new Tables(conf, "s3a://bucket/runs");
                int polls = 0;
                for (; !over.get(); polls++) {
                  assertThat(read.run("a")).contains(ResultsFixtures.run("a"));
                }
                return polls;
              });

      for (int epoch = 1; epoch <= EPOCHS; epoch++) {
        written.write(ResultsFixtures.ssl("a", epoch));
        written.write(ResultsFixtures.run("a"));
      }
      over.set(true);

      assertThat(reader.get()).isGreaterThan(EPOCHS);
      assertThat(new Part(epochs(), conf).read()).hasSize(EPOCHS);
    } finally {
      threads.shutdownNow();
    }
  }

  private static org.apache.hadoop.fs.Path epochs() {
    return new org.apache.hadoop.fs.Path(
        "s3a://bucket/runs/tables/epochs/run_id=a/epochs-00001.parquet");
  }
}
