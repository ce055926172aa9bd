package org.mixtraining.spark;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.URI;
import java.nio.file.Files;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;

/**
 * Local files under the scheme {@code hanging}: whoever opens one of training images, and finds one
 * of two files in the directory that {@code fs.hanging.directory} names, takes that away and hangs,
 * until it is interrupted or for ever.
 */
public final class HangsTwice extends RawLocalFileSystem {
  static final String DIRECTORY = "fs.hanging.directory";
  static final String UNTIL_INTERRUPTED = "until-interrupted";
  static final String FOR_EVER = "for-ever";

  @Override
  public URI getUri() {
    return URI.create("hanging:///");
  }

  @Override
  public FSDataInputStream open(Path file, int bufferSize) throws IOException {
    if (file.toString().contains("split=train/shard=")) {
      if (taken(UNTIL_INTERRUPTED)) {
        hangUntilInterrupted();
      } else if (taken(FOR_EVER)) {
        hangForEver();
      }
    }
    return super.open(file, bufferSize);
  }

  private boolean taken(String name) throws IOException {
    return Files.deleteIfExists(java.nio.file.Path.of(getConf().get(DIRECTORY), name));
  }

  private static void hangUntilInterrupted() throws IOException {
    try {
      Thread.sleep(Long.MAX_VALUE);
    } catch (InterruptedException e) {
      throw new InterruptedIOException("interrupted as it hung");
    }
  }

  private static void hangForEver() {
    while (true) {
      try {
        Thread.sleep(Long.MAX_VALUE);
      } catch (InterruptedException e) {
        // as a call into a driver that does not return
      }
    }
  }
}
