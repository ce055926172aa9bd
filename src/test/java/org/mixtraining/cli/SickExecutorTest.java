package org.mixtraining.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkEnv;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.mixtraining.config.UserException;
import org.mixtraining.kernels.OutOfDeviceMemoryException;
import org.mixtraining.spark.PackagedJob;
import org.mixtraining.spark.Supervised;

/** Executors that fail, in sessions of the commands. */
@Tag("cluster") // with sessions of its own
class SickExecutorTest {
  private final Map<String, String> properties = new HashMap<>();

  @AfterEach
  void restore() {
    properties.keySet().forEach(System::clearProperty);
  }

  /** A session of a command on executors of this machine. */
  private Sessions.Opened open(String master) throws Exception {
    Path own =
        Path.of(SickExecutorTest.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    properties.put("spark.master", master);
    properties.put("spark.ui.enabled", "false");
    properties.put("spark.executor.extraClassPath", PackagedJob.jar() + ":" + own);
    properties.put("spark.scheduler.minRegisteredResourcesRatio", "1");
    properties.put("spark.scheduler.maxRegisteredResourcesWaitingTime", "60s");
    properties.forEach(System::setProperty);
    Sessions.Opened opened = Sessions.local("sick");
    opened.spark().sparkContext().setLogLevel("OFF");
    return opened;
  }

  /** The executors of tasks that are all begun at once. */
  private static List<String> run(Sessions.Opened opened, int tasks, Sick sick) {
    return JavaSparkContext.fromSparkContext(opened.spark().sparkContext())
        .parallelize(List.of(0, 1, 2, 3).subList(0, tasks), tasks)
        .map(task -> SickExecutorTest.task(task, sick))
        .collect();
  }

  private enum Sick {
    EXECUTOR_0,
    THRICE,
    PAIR
  }

  private static String task(int task, Sick sick) throws InterruptedException {
    String executor = SparkEnv.get().executorId();
    int attempt = TaskContext.get().attemptNumber();
    boolean fails =
        switch (sick) {
          case EXECUTOR_0 -> executor.equals("0");
          case THRICE -> task == 0 && attempt < 3;
          case PAIR -> task < 2 && attempt < 1;
        };
    if (fails) {
      throw new IllegalStateException("task %s, attempt %s".formatted(task, attempt));
    }
    Thread.sleep(3_000); // meanwhile the failed ones find only the sick executor free
    return executor;
  }

  @Test
  void aTaskThatFailsOnOneExecutorGoesToAnother() throws Exception {
    try (Sessions.Opened opened = open("local-cluster[2,1,1024]")) {
      for (int epoch = 0; epoch < 2; epoch++) {
        assertThat(run(opened, 2, Sick.EXECUTOR_0)).containsExactly("1", "1");
      }
    }
  }

  /** Tasks that run out of memory on some executors. */
  private static List<Integer> runOutOfMemory(Sessions.Opened opened, String... executors) {
    JavaSparkContext spark = JavaSparkContext.fromSparkContext(opened.spark().sparkContext());
    return Supervised.run(
        spark,
        () ->
            spark
                .parallelize(List.of(1, 2), 2)
                .map(
                    number -> {
                      if (List.of(executors).contains(SparkEnv.get().executorId())) {
                        throw new OutOfDeviceMemoryException("batch-size: lower it");
                      }
                      Thread.sleep(3_000); // meanwhile only the sick executor is free
                      return 10 * number;
                    })
                .collect());
  }

  @Test
  void aTaskThatOneExecutorHasNoDeviceMemoryForGoesToAnother() throws Exception {
    try (Sessions.Opened opened = open("local-cluster[2,1,1024]")) {
      assertThat(runOutOfMemory(opened, "0")).containsExactly(10, 20);
    }
  }

  @Test
  void tooLittleDeviceMemoryOnTwoExecutorsIsBadInput() throws Exception {
    try (Sessions.Opened opened = open("local-cluster[2,1,1024]")) {
      assertThatThrownBy(() -> runOutOfMemory(opened, "0", "1"))
          .isInstanceOf(UserException.class)
          .hasMessage("batch-size: lower it");
    }
  }

  /** It is replaced, and the new one has no more memory. */
  @Test
  void tooLittleDeviceMemoryOnTheOnlyExecutorIsBadInput() throws Exception {
    try (Sessions.Opened opened = open("local-cluster[1,1,1024]")) {
      assertThatThrownBy(() -> runOutOfMemory(opened, "0", "1"))
          .isInstanceOf(UserException.class)
          .hasMessage("batch-size: lower it");
    }
  }

  /** Two failed tasks, or two failures of one, leave out an executor by Spark's own defaults. */
  @Test
  void theOnlyExecutorIsNotLeftOutForWhatAttemptsMend() throws Exception {
    try (Sessions.Opened opened = open("local-cluster[1,2,1024]")) {
      assertThat(run(opened, 2, Sick.THRICE)).containsOnly("0");
      assertThat(run(opened, 4, Sick.PAIR)).containsOnly("0");
    }
  }

  private static Map<String, String> settings(String master, String... own) {
    SparkConf conf = new SparkConf(false).setMaster(master);
    for (int i = 0; i < own.length; i += 2) {
      conf.set(own[i], own[i + 1]);
    }
    Sessions.leaveOutTheSick(conf);
    Map<String, String> settings = new HashMap<>();
    Arrays.stream(conf.getAll()).forEach(setting -> settings.put(setting._1, setting._2));
    return settings;
  }

  @Test
  void somebodysOwnSettingsStay() {
    assertThat(settings("yarn")).containsEntry("spark.task.maxFailures", "6");
    assertThat(settings("local[2]")).hasSize(1);
    assertThat(settings("yarn", "spark.task.maxFailures", "1")).hasSize(2);
    assertThat(settings("yarn", "spark.excludeOnFailure.enabled", "false")).hasSize(2);
  }
}
