package org.mixtraining.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A Spark as it would be installed, of jars that are somewhere else. */
final class SparkHome {
  private SparkHome() {}

  /**
   * Makes one.
   *
   * @param directories of jars
   */
  static Path in(Path home, Path... directories) throws IOException {
    Files.createDirectories(home.resolve("bin"));
    Path jars = Files.createDirectory(home.resolve("jars"));
    for (Path directory : directories) {
      try (var files = Files.newDirectoryStream(directory, "*.jar")) {
        for (Path jar : files) {
          Files.createSymbolicLink(jars.resolve(jar.getFileName()), jar.toAbsolutePath());
        }
      }
    }
    for (String script : List.of("spark-class", "spark-submit")) {
      Path copy = home.resolve("bin").resolve(script);
      Files.copy(Path.of("src/test/resources/spark-home/bin", script), copy);
      copy.toFile().setExecutable(true);
    }
    return home;
  }
}
