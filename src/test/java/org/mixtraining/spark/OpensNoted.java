package org.mixtraining.spark;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.StandardOpenOption;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;

/**
 * Local files under the scheme {@code noted}: each process notes which it opens in a file of the
 * directory that {@code fs.noted.directory} names.
 */
public final class OpensNoted extends RawLocalFileSystem {
  static final String DIRECTORY = "fs.noted.directory";

  @Override
  public URI getUri() {
    return URI.create("noted:///");
  }

  @Override
  public FSDataInputStream open(Path file, int bufferSize) throws IOException {
    Files.writeString(
        java.nio.file.Path.of(getConf().get(DIRECTORY), "opened-" + ProcessHandle.current().pid()),
        file + System.lineSeparator(),
        StandardOpenOption.CREATE,
        StandardOpenOption.APPEND);
    return super.open(file, bufferSize);
  }
}
