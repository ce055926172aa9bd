package org.mixtraining.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.PathIOException;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WholeFileTest {
  private static final LockOwner SELF = LockOwner.self();

  @TempDir Path directory;

  private void write(String name) throws IOException {
    var path = new org.apache.hadoop.fs.Path(directory.resolve(name).toString());
    new WholeFile(path, new Configuration()).write(out -> out.write(1));
  }

  /** A file that a process was writing. */
  private Path left(LockOwner owner, Duration age) throws IOException {
    Path left = directory.resolve(".summary.json." + owner.mark() + ".3");
    Files.writeString(left, "{");
    Files.setLastModifiedTime(left, FileTime.from(Instant.now().minus(age)));
    return left;
  }

  @Test
  void whatAWriterLeftThatWasKilledIsRemovedByTheNext() throws Exception {
    Process killed = new ProcessBuilder("sleep", "60").start();
    String started = killed.info().startInstant().orElseThrow().toString();
    Path left =
        left(new LockOwner("t", SELF.host(), killed.pid(), started, SELF.system()), Duration.ZERO);
    write("summary.json");
    assertThat(left).as("it lives").exists();

    killed.destroyForcibly().waitFor();
    write("summary.json");
    assertThat(left).doesNotExist();
    try (var files = Files.list(directory)) {
      assertThat(files).containsExactly(directory.resolve("summary.json"));
    }
  }

  @Test
  void ofAProcessThatCannotBeAskedOnlyWhatIsOldIsRemoved() throws IOException {
    LockOwner elsewhere = new LockOwner("t", "node-7", SELF.pid(), "long ago", "another kernel");
    Path left = left(elsewhere, Duration.ofMinutes(2));
    write("other.json");
    assertThat(left).exists();

    left(elsewhere, Duration.ofMinutes(11));
    write("other.json");
    assertThat(left).doesNotExist();
  }

  @Test
  void whatOthersHideStays() throws IOException {
    for (String name : new String[] {".summary.json.bak", ".summary.json.12.3", ".x.parquet.crc"}) {
      Path file = Files.writeString(directory.resolve(name), "x");
      Files.setLastModifiedTime(file, FileTime.from(Instant.EPOCH));
      write("summary.json");
      assertThat(file).exists();
    }
  }

  /** S3A compares the version that it reads with the one that it opened. */
  public static final class Replaced extends RawLocalFileSystem {
    private int left;

    private static FileSystem times(int times) throws IOException {
      Replaced files = new Replaced();
      files.initialize(URI.create("file:///"), new Configuration());
      files.left = times;
      return files;
    }

    @Override
    public FSDataInputStream open(org.apache.hadoop.fs.Path file, int bufferSize)
        throws IOException {
      if (left-- > 0) {
        throw new PathIOException(file.toString(), "ETag change detected");
      }
      return super.open(file, bufferSize);
    }
  }

  @Test
  void aFileThatIsReplacedMeanwhileIsReadAgain() throws IOException {
    write("lock");
    var path = new org.apache.hadoop.fs.Path(directory.resolve("lock").toString());

    assertThat(WholeFile.read(Replaced.times(9), path)).containsExactly(1);
    assertThatThrownBy(() -> WholeFile.read(Replaced.times(10), path))
        .isInstanceOf(PathIOException.class)
        .hasMessageContaining("ETag change detected");
  }
}
