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
    return new RunRow.Versions(
        job(),
        package$.MODULE$.SPARK_VERSION(),
        deeplearning4j(),
        System.getProperty("java.version"),
        revision());
  }

  private static String job() {
    return build().getProperty("version");
  }

  /** As the build stamped it: in the job's jar, Deeplearning4j's own manifest is gone. */
  private static String deeplearning4j() {
    return build().getProperty("dl4j.version");
  }

  /** Null where the build knew none; what was not committed when it was built is {@code -dirty}. */
  private static String revision() {
    String revision = build().getProperty("git.revision");
    return revision.startsWith("$") ? null : revision;
  }

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
