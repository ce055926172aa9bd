package org.mixtraining.cli;

import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkContext$;
import org.apache.spark.deploy.SparkHadoopUtil;
import org.apache.spark.sql.SparkSession;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.UserException;
import org.mixtraining.config.WorkersConfig;
import org.mixtraining.jobs.Writable;

/**
 * Spark sessions of the commands. Under spark-submit the master is set already; on the embedded
 * Spark it is MASTER, or else this machine.
 */
final class Sessions {
  private Sessions() {}

  /**
   * A session of a command, which ends with it if it was made for it: one that was there before, of
   * a notebook or a server, stays.
   */
  record Opened(SparkSession spark, boolean own) implements AutoCloseable {
    @Override
    public void close() {
      if (own) {
        spark.stop();
      }
    }
  }

  /** Whether this process is somebody else's, who has a session in it. */
  static boolean isGuest() {
    return SparkContext$.MODULE$.getActive().isDefined();
  }

  /** A session for work that fits one process: preparing, querying. */
  static Opened local(String name) {
    return open(name, "local[*]", conf());
  }

  /**
   * A session whose executors train: embedded, one process a worker, as many as the cores allow.
   *
   * @param trainings how many train side by side, each getting its share of the executors
   */
  static Opened workers(String name, WorkersConfig workers, int trainings) {
    return workers(name, workers, trainings, conf());
  }

  /**
   * The same for a training that can be watched: through its plugin, and as {@code tracking} asks,
   * by Spark's own UI and event log.
   *
   * @throws UserException if the event log cannot lie where it is to lie
   */
  static Opened training(String name, JobConfig config, int trainings) {
    return workers(name, config.workers(), trainings, Watching.in(conf(), config.tracking()));
  }

  private static Opened workers(String name, WorkersConfig workers, int trainings, SparkConf conf) {
    conf.setIfMissing("spark.task.cpus", "" + workers.threadsPerWorker())
        .setIfMissing("spark.scheduler.mode", "FAIR");
    return open(name, Embedded.cluster(conf, workers, trainings), conf);
  }

  /** How Hadoop is configured in sessions, for work that needs none. */
  static Configuration hadoop() {
    return isGuest()
        ? SparkSession.builder().getOrCreate().sparkContext().hadoopConfiguration()
        : SparkHadoopUtil.get().newConfiguration(conf());
  }

  private static Opened open(String name, String embeddedMaster, SparkConf conf) {
    if (isGuest()) {
      return new Opened(SparkSession.builder().getOrCreate(), false);
    }
    if (!conf.contains("spark.master")) {
      String master = System.getenv("MASTER");
      Embedded.configure(
          conf, master == null || master.isBlank() ? embeddedMaster : master.strip());
    }
    leaveOutTheSick(conf);
    checkLocalDirectories(conf);
    // What spark-submit calls an application that was given no --name says nothing.
    if (conf.get("spark.app.name", Main.class.getName()).equals(Main.class.getName())) {
      conf.setAppName("mixtraining " + name);
    }
    return new Opened(SparkSession.builder().config(conf).getOrCreate(), true);
  }

  /**
   * A worker prefers the executor that has its images, also after it failed there. So after four
   * failed attempts on one, as many as Spark makes by itself, it is tried again, but not there: a
   * sick executor no longer ends the run. Spark's other limits stay out of reach, since they end
   * runs that attempts alone would save: they abort a stage whose executors are all left out while
   * one of them still computes.
   *
   * <p>Somebody's own settings of attempts or of executors that are left out stay as they are.
   */
  static void leaveOutTheSick(SparkConf conf) {
    boolean local = conf.get("spark.master", "local").matches("local(\\[.*)?");
    if (local
        || conf.contains("spark.task.maxFailures")
        || conf.getAllWithPrefix("spark.excludeOnFailure.").length > 0
        || conf.getAllWithPrefix("spark.blacklist.").length > 0) {
      return;
    }
    int attempts = 4;
    String never = "" + Integer.MAX_VALUE;
    conf.set("spark.excludeOnFailure.enabled", "true")
        .set("spark.excludeOnFailure.task.maxTaskAttemptsPerExecutor", "" + attempts)
        .set("spark.excludeOnFailure.task.maxTaskAttemptsPerNode", "" + (attempts + 1))
        .set("spark.task.maxFailures", "" + (attempts + 2)) // Spark wants more than for a node
        .set("spark.scheduler.excludeOnFailure.unschedulableTaskSetTimeout", "30s")
        .set("spark.excludeOnFailure.stage.maxFailedTasksPerExecutor", never)
        .set("spark.excludeOnFailure.stage.maxFailedExecutorsPerNode", never)
        .set("spark.excludeOnFailure.application.maxFailedTasksPerExecutor", never)
        .set("spark.excludeOnFailure.application.maxFailedExecutorsPerNode", never);
  }

  /** Spark ends the process where it finds none of them usable. */
  private static void checkLocalDirectories(SparkConf conf) {
    String environment = System.getenv("SPARK_LOCAL_DIRS");
    String key = (environment == null ? "spark.local.dir" : "SPARK_LOCAL_DIRS") + " =";
    String given =
        environment == null
            ? conf.get("spark.local.dir", System.getProperty("java.io.tmpdir"))
            : environment;
    List<UserException> problems = new ArrayList<>();
    String[] directories = given.split(",");
    for (String directory : directories) {
      try {
        Writable.check(new Configuration(false), key, directory.strip());
      } catch (UserException e) {
        problems.add(e);
      }
    }
    if (problems.size() == directories.length) {
      throw problems.get(0);
    }
  }

  private static SparkConf conf() {
    return new SparkConf()
        .setIfMissing("spark.ui.showConsoleProgress", "false")
        .setIfMissing("spark.sql.shuffle.partitions", "8")
        .setIfMissing("spark.sql.debug.maxToStringFields", "1000") // or it warns of long plans
        // Or executors do not find files with letters beyond ASCII.
        .setIfMissing("spark.executorEnv.LC_ALL", "C.UTF-8")
        // A speculative copy of a worker would train the same epoch twice in vain.
        .set("spark.speculation", "false")
        // Else an Error of a task (a stack overflow, say) ends the process with Spark's own exit
        // code, and nobody is told which it was. Heap is another matter: see Embedded.FLAGS.
        .set("spark.executor.killOnFatalError.depth", "0")
        // States are sent as plain floats, which neither Kryo nor compression makes smaller.
        .set("spark.serializer", "org.apache.spark.serializer.JavaSerializer")
        .set("spark.broadcast.compress", "false")
        .setIfMissing("spark.shuffle.compress", "false")
        .setIfMissing("spark.driver.maxResultSize", "0");
  }
}
