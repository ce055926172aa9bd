package org.mixtraining.jobs;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.mixtraining.config.Location;
import org.mixtraining.config.Secrets;
import org.mixtraining.config.UserException;

/** An early check that a command's output can be written, before any work is done. */
public final class Writable {

  private Writable() {}

  /**
   * Makes sure that a directory can be made, or written into. Other file systems than the local one
   * are not asked: they may allow the directory, and nothing above it.
   *
   * @param key what names it, for messages, as {@code mixtraining.run.output =} or {@code -o}
   * @throws UserException if it cannot
   */
  public static void check(Configuration hadoop, String key, String directory) {
    try {
      var path = new org.apache.hadoop.fs.Path(directory);
      var files = Location.fileSystem(path, hadoop);
      if (files.getUri().getScheme().equals("file")) {
        check(key, directory, Path.of(files.makeQualified(path).toUri().getPath()));
      }
    } catch (IOException | IllegalArgumentException e) {
      // What is no path at all has messages of its own.
    }
  }

  private static void check(String key, String given, Path directory) {
    Path there = directory;
    while (!Files.exists(there)) {
      there = there.getParent();
    }
    if (!Files.isDirectory(there)) {
      throw new UserException(
          "%s %s: %s is a file, and must be a directory"
              .formatted(key, Secrets.inText(given), there));
    }
    if (!Files.isWritable(there)) {
      throw new UserException(
          "%s %s: %s is not writable by this user".formatted(key, Secrets.inText(given), there));
    }
  }
}
