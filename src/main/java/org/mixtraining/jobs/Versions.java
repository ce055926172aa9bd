package org.mixtraining.jobs;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;
import org.apache.spark.package$;
import org.mixtraining.results.RunRow;

/** The versions of this software and of what it runs on. */
public final class Versions {

  private Versions() {}

  public static RunRow.Versions provenance() {
    Properties build = build();
    String revision = build.getProperty("git.revision");
    return new RunRow.Versions(
        build.getProperty("version"),
        package$.MODULE$.SPARK_VERSION(),
        build.getProperty("dl4j.version"),
        System.getProperty("java.version"),
        revision.startsWith("$") ? null : revision);
  }

  /**
   * As the build stamped it: in the job's jar, Deeplearning4j's own manifest is gone. Revision is a
   * placeholder where the build knew none; what was not committed when it was built is {@code
   * -dirty}.
   */
  private static Properties build() {
    Properties build = new Properties();
    try (InputStream in = Versions.class.getResourceAsStream("/org/mixtraining/build.properties")) {
      build.load(in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return build;
  }
}
