package org.mixtraining.spark;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;

/** The job as executor processes get it. */
public final class PackagedJob {

  private PackagedJob() {}

  /** Its jar; without what executors are started with, the test is skipped. */
  public static String jar() {
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

  /** Skips a test of {@code submit/} where the job is not packaged with its embedded Spark. */
  public static void assumeBuilt() {
    assumeBuilt(Path.of("target/spark/jars"));
  }

  /** The same with the jars of another Spark. */
  public static void assumeBuilt(Path jars) {
    assumeTrue(
        Files.exists(Path.of("target/mixtraining.jar")) && Files.isDirectory(jars),
        "needs target/mixtraining.jar and target/spark, which mvn verify makes");
  }
}
