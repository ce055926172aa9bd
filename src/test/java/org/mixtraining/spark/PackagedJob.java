package org.mixtraining.spark;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;

/** The job as executor processes get it. */
final class PackagedJob {

  private PackagedJob() {}

  /** Its jar; without what executors are started with, the test is skipped. */
  static String jar() {
    String jar = System.getProperty("mixtraining.jar", "");
    String home = System.getenv("SPARK_HOME");
    assumeTrue(
        !jar.isEmpty()
            && home != null
            && Files.isDirectory(Path.of(home, "jars"))
            && "2.12".equals(System.getenv("SPARK_SCALA_VERSION")),
        "needs mixtraining.jar, SPARK_HOME and SPARK_SCALA_VERSION=2.12, as mvn verify sets them");
    return jar;
  }
}
