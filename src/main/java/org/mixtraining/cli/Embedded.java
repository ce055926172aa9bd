package org.mixtraining.cli;

import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.SparkConf;
import org.mixtraining.config.UserException;
import org.mixtraining.config.WorkersConfig;

/**
 * Configuration of the embedded Spark: its master, and the executor settings that spark-submit
 * would make.
 */
final class Embedded {

  /** The same as submit/mixtraining gives the driver, and executors under spark-submit. */
  static final String FLAGS =
      "--add-modules=jdk.incubator.vector -Djdk.incubator.vector.VECTOR_ACCESS_OOB_CHECK=0"
          + " -Dorg.bytedeco.javacpp.maxbytes=8g -Dorg.bytedeco.javacpp.maxphysicalbytes=0"
          // Without heap Spark's threads die one by one, and the rest waits for ever.
          + " -XX:+ExitOnOutOfMemoryError";

  private static final int LEAST_HEAP = 512; // MB; Spark refuses less than 450 MiB

  private static final String NUMBER = "\\s*([0-9]{1,6})\\s*";
  private static final Pattern LOCAL =
      Pattern.compile("local(\\[\\s*([0-9]{1,6}|\\*)\\s*(," + NUMBER + ")?])?");
  private static final Pattern CLUSTER =
      Pattern.compile("local-cluster\\[" + NUMBER + "," + NUMBER + "," + NUMBER + "]\\s*");
  private static final Pattern STANDALONE = Pattern.compile("spark://.+");

  private Embedded() {}

  /**
   * Prepares a configuration for a master.
   *
   * @param master what MASTER names
   * @throws UserException if the embedded Spark has no such master, or it cannot serve this work
   */
  static void configure(SparkConf conf, String master) {
    conf.setMaster(master).setIfMissing("spark.ui.enabled", "false");
    Matcher local = LOCAL.matcher(master);
    Matcher cluster = CLUSTER.matcher(master);
    if (local.matches()) {
      checkCores(conf, master, cores(local.group(2)));
    } else if (Account.isNameless()) {
      throw new UserException(
          "MASTER = %s: the user id of this process has no name, and Hadoop starts no executor without one: add one to /etc/passwd, or use local[cores]"
              .formatted(master));
    } else if (cluster.matches()) {
      int heap = Integer.parseInt(cluster.group(3));
      if (Integer.parseInt(cluster.group(1)) < 1 || heap < LEAST_HEAP) {
        throw new UserException(
            "MASTER = %s: needs at least 1 executor, and %s MB for each"
                .formatted(master, LEAST_HEAP));
      }
      checkCores(conf, master, Integer.parseInt(cluster.group(2)));
      conf.setIfMissing("spark.executor.memory", heap + "m");
      conf.setIfMissing("spark.executor.extraClassPath", ownClassPath());
      conf.setIfMissing("spark.executor.extraJavaOptions", FLAGS);
    } else if (STANDALONE.matcher(master).matches()) {
      executorsElsewhere(conf);
    } else {
      throw new UserException(
          "MASTER = %s: the embedded Spark supports local, local[cores], local[*], local[cores,failures], local-cluster[executors,cores,MB] and spark://host:port; for another master set SPARK_HOME to a Spark"
              .formatted(master));
    }
  }

  /**
   * {@code local-cluster[executors, cores, MB]}: as many workers as this machine has cores for; or
   * in this process for a user without a name, as whom Hadoop lets no executor start.
   */
  static String cluster(SparkConf conf, WorkersConfig workers, int trainings) {
    int threads = workers.threadsPerWorker();
    int slots = Math.max(1, Runtime.getRuntime().availableProcessors() / threads);
    if (Account.isNameless()) {
      return "local[%s]".formatted(slots * threads);
    }
    int perExecutor = Math.min(workers.perExecutor(), slots);
    int executors = Math.max(1, Math.min(workers.count() * trainings, slots) / perExecutor);
    return "local-cluster[%s,%s,%s]"
        .formatted(
            executors, perExecutor * threads, conf.getSizeAsMb("spark.executor.memory", "1g"));
  }

  private static int cores(String given) {
    return given == null
        ? 1
        : given.equals("*") ? Runtime.getRuntime().availableProcessors() : Integer.parseInt(given);
  }

  private static void checkCores(SparkConf conf, String master, int cores) {
    int needed = conf.getInt("spark.task.cpus", 1);
    if (cores < needed) {
      throw new UserException(
          "MASTER = %s: has %s cores for tasks of %s (mixtraining.workers.threads-per-worker)"
              .formatted(master, cores, needed));
    }
  }

  /** They fetch the job's jar from the driver; or, run from a build, share this machine. */
  private static void executorsElsewhere(SparkConf conf) {
    Path own = own();
    if (isJar(own)) {
      conf.setIfMissing("spark.jars", own.toUri().toASCIIString().replace(",", "%2C"));
    } else {
      conf.setIfMissing("spark.executor.extraClassPath", ownClassPath());
    }
    conf.setIfMissing("spark.executor.extraJavaOptions", FLAGS);
  }

  /** The job's jar; or, run from a build, its classes and libraries. */
  private static String ownClassPath() {
    Path own = own();
    return isJar(own) ? own.toString() : System.getProperty("java.class.path");
  }

  private static boolean isJar(Path own) {
    return own.toString().endsWith(".jar");
  }

  private static Path own() {
    try {
      var place = Embedded.class.getProtectionDomain().getCodeSource().getLocation().toURI();
      return Path.of(place.getPath());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }
}
