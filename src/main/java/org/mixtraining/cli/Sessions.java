package org.mixtraining.cli;

import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.Locale;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkConf;
import org.apache.spark.deploy.SparkHadoopUtil;
import org.apache.spark.sql.SparkSession;
import org.mixtraining.config.JobConfig;

/**
 * Spark sessions of the commands. Under spark-submit the master is set already; on the embedded
 * Spark it is MASTER, or else this machine.
 */
final class Sessions {

  /** The same as submit/mixtraining gives the driver, and executors under spark-submit. */
  static final String FLAGS =
      "--add-modules=jdk.incubator.vector -Djdk.incubator.vector.VECTOR_ACCESS_OOB_CHECK=0"
          + " -Dorg.bytedeco.javacpp.maxbytes=8g -Dorg.bytedeco.javacpp.maxphysicalbytes=16g";

  private Sessions() {}

  /** A session for work that fits one process: preparing, querying. */
  static SparkSession local(String name) {
    return open(name, "local[*]", conf());
  }

  /**
   * A session whose executors train: embedded, one process a worker, as many as the cores allow.
   *
   * @param trainings how many train side by side, each getting its share of the executors
   */
  static SparkSession workers(String name, JobConfig.Workers workers, int trainings) {
    return workers(name, workers, trainings, conf());
  }

  /**
   * The same for a training that can be watched: through its plugin, and as {@code tracking} asks,
   * by Spark's own UI and event log.
   *
   * @throws UserException if the event log cannot lie where it is to lie
   */
  static SparkSession training(String name, JobConfig config, int trainings) {
    return workers(name, config.workers(), trainings, Watching.in(conf(), config.tracking()));
  }

  private static SparkSession workers(
      String name, JobConfig.Workers workers, int trainings, SparkConf conf) {
    conf.setIfMissing("spark.task.cpus", "" + workers.threadsPerWorker())
        .setIfMissing("spark.scheduler.mode", "FAIR");
    return open(name, localCluster(workers, trainings, conf), conf);
  }

  /** How Hadoop is configured in sessions, for work that needs none. */
  static Configuration hadoop() {
    return SparkHadoopUtil.get().newConfiguration(conf());
  }

  private static SparkSession open(String name, String embeddedMaster, SparkConf conf) {
    boolean embedded = !conf.contains("spark.master");
    if (embedded) {
      String master = System.getenv("MASTER");
      conf.setMaster(master == null || master.isBlank() ? embeddedMaster : master);
      conf.setIfMissing("spark.ui.enabled", "false");
    }
    // What spark-submit calls an application that was given no --name says nothing.
    if (conf.get("spark.app.name", Main.class.getName()).equals(Main.class.getName())) {
      conf.setAppName("mixtraining " + name);
    }
    return SparkSession.builder().config(conf).getOrCreate();
  }

  private static SparkConf conf() {
    return new SparkConf()
        .setIfMissing("spark.ui.showConsoleProgress", "false")
        .setIfMissing("spark.sql.shuffle.partitions", "8")
        .setIfMissing("spark.sql.debug.maxToStringFields", "1000") // or it warns of long plans
        // A speculative twin of a worker would train the same epoch twice for nothing.
        .set("spark.speculation", "false")
        // States are sent as plain floats, which neither Kryo nor compression makes smaller.
        .set("spark.serializer", "org.apache.spark.serializer.JavaSerializer")
        .set("spark.broadcast.compress", "false")
        .setIfMissing("spark.shuffle.compress", "false")
        .setIfMissing("spark.driver.maxResultSize", "0");
  }

  /** {@code local-cluster[executors, cores, MB]}, its executors with our classes and flags. */
  private static String localCluster(JobConfig.Workers workers, int trainings, SparkConf conf) {
    int threads = workers.threadsPerWorker();
    int slots = Math.max(1, Runtime.getRuntime().availableProcessors() / threads);
    int perExecutor = Math.min(workers.perExecutor(), slots);
    int executors = Math.max(1, Math.min(workers.count() * trainings, slots) / perExecutor);
    int heap = (int) conf.getSizeAsMb("spark.executor.memory", "1g");
    conf.setIfMissing("spark.executor.memory", heap + "m");
    conf.setIfMissing("spark.executor.extraClassPath", ownClassPath());
    conf.setIfMissing("spark.executor.extraJavaOptions", FLAGS);
    return String.format(
        Locale.ROOT, "local-cluster[%d,%d,%d]", executors, perExecutor * threads, heap);
  }

  /** The job's jar; or, run from a build, its classes and libraries. */
  private static String ownClassPath() {
    try {
      Path own =
          Path.of(Sessions.class.getProtectionDomain().getCodeSource().getLocation().toURI());
      return own.toString().endsWith(".jar")
          ? own.toString()
          : System.getProperty("java.class.path");
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }
}
