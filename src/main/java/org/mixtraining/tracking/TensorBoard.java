package org.mixtraining.tracking;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Instant;
import java.util.Locale;
import org.apache.commons.lang3.function.Failable;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.mixtraining.config.Location;
import org.mixtraining.files.ObjectStore;
import org.mixtraining.files.WholeFile;
import org.mixtraining.results.EpochRow;
import org.mixtraining.results.RunRow;

/**
 * Scalars of a run for TensorBoard, one point per epoch, in {@code <output>/tensorboard/<run>}.
 * Each start of the run creates a new file, as TensorFlow does.
 */
final class TensorBoard implements Tracker {
  private final Configuration hadoop;
  private final Path directory;
  private EventFile file;

  TensorBoard(Configuration hadoop, String output, String runId) {
    this.hadoop = hadoop;
    this.directory = new Path(new Path(Location.path(output), "tensorboard"), runId);
  }

  @Override
  public void run(RunRow row) {
    // Of epochs only.
  }

  @Override
  public void epoch(EpochRow row) {
    Failable.run(
        () -> {
          if (file == null) {
            file = begun(row.epoch());
          }
          file.add(row.finishedAt(), row.epoch(), Scalars.of(row));
        });
  }

  private EventFile begun(int first) throws IOException {
    Instant now = Instant.now();
    Path path =
        new Path(
            directory,
            String.format(
                Locale.ROOT,
                "events.out.tfevents.%010d.%09d",
                now.getEpochSecond(),
                now.getNano()));
    FileSystem files = Location.fileSystem(path, hadoop);
    return new EventFile(
        ObjectStore.is(files)
            ? new FSDataOutputStream(new PutAtEachFlush(path), null)
            : files.create(path, false),
        now,
        first);
  }

  /** A file of a store, which shows none to readers before it is closed. */
  private final class PutAtEachFlush extends ByteArrayOutputStream {
    private final Path path;

    private PutAtEachFlush(Path path) {
      this.path = path;
    }

    @Override
    public void flush() throws IOException {
      new WholeFile(path, hadoop).write(this::writeTo);
    }
  }

  @Override
  public void close() {
    if (file != null) {
      Failable.run(file::close);
    }
  }
}
