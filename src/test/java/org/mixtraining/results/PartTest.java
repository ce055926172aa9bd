package org.mixtraining.results;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.PathIOException;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PartTest {
  @TempDir Path directory;

  /** Local files; before one is opened, another one takes its place, at times too late. */
  public static final class Replacing extends RawLocalFileSystem {
    private static Path next;
    private static int tooLate;

    @Override
    public FSDataInputStream open(org.apache.hadoop.fs.Path file, int bufferSize)
        throws IOException {
      if (tooLate-- > 0) {
        throw new PathIOException(file.toString(), "changed as it was read");
      }
      if (Files.exists(next)) {
        Files.move(next, pathToFile(file).toPath(), StandardCopyOption.REPLACE_EXISTING);
      }
      return super.open(file, bufferSize);
    }
  }

  private static Configuration replacing() {
    Configuration conf = new Configuration();
    conf.set("fs.file.impl", Replacing.class.getName());
    conf.setBoolean("fs.file.impl.disable.cache", true);
    return conf;
  }

  /** A table of the epochs up to one. */
  private Path epochs(String output, int last) {
    Tables tables = new Tables(new Configuration(), directory.resolve(output).toString());
    for (int epoch = 1; epoch <= last; epoch++) {
      tables.write(ResultsFixtures.ssl("a", epoch));
    }
    return directory.resolve(output + "/tables/epochs/run_id=a/epochs-00001.parquet");
  }

  @Test
  void aReaderOfAPartThatIsReplacedGetsOneOfTheTwo() throws IOException {
    var part = new org.apache.hadoop.fs.Path(epochs("runs", 1).toString());
    Replacing.next = epochs("later", 30);
    Replacing.tooLate = 3;

    assertThat(new Part(part, replacing()).read()).hasSize(30);
    assertThat(Replacing.next).doesNotExist();
  }

  @Test
  void onePathThatIsAlwaysWrongIsNotReadForEver() {
    var part = new org.apache.hadoop.fs.Path(epochs("runs", 1).toString());
    Replacing.next = directory.resolve("none");
    Replacing.tooLate = 1000;

    assertThatThrownBy(() -> new Part(part, replacing()).read())
        .isInstanceOf(PathIOException.class)
        .hasMessageContaining("changed as it was read");
  }
}
