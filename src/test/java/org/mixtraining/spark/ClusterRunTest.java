package org.mixtraining.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.apache.spark.ExceptionFailure;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerJobStart;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.scheduler.SparkListenerTaskStart;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.storage.RDDBlockId;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mixtraining.config.JobConfig;
import org.mixtraining.data.prepare.Prepare;
import org.mixtraining.run.EpochOutcome;
import org.mixtraining.train.NonFiniteLossException;

/**
 * The same run with executors in processes of their own. It needs the packaged job and its Spark:
 * system property {@code mixtraining.jar}, and {@code SPARK_HOME} and {@code SPARK_SCALA_VERSION}
 * in the environment, as {@code mvn verify} sets them.
 */
@Tag("cluster")
@TestMethodOrder(MethodOrderer.OrderAnnotation.class) // the last leaves a cluster under repair
class ClusterRunTest {
  private static final String VECTOR =
      "--add-modules=jdk.incubator.vector -Djdk.incubator.vector.VECTOR_ACCESS_OOB_CHECK=0";

  @TempDir static Path directory;
  private static String jar;
  private static List<EpochOutcome> inProcess;
  private static List<EpochOutcome> threeInProcess;
  private static List<EpochOutcome> roundsInProcess;
  @AutoClose private static SparkSession cluster;

  @BeforeAll
  static void start() {
    jar = PackagedJob.jar();

    try (SparkSession session = session("local[2]")) {
      Prepare.run(session, config().data(), Prepare.Existing.REFUSE, line -> {});
      inProcess = train(session, epoch -> {});
      threeInProcess = train(session, threeWorkers(), epoch -> {});
      roundsInProcess = train(session, rounds("driver"), epoch -> {});
    }
    cluster = session("local-cluster[2, 1, 1024]");
  }

  private static JobConfig config() {
    return SmallRun.config(directory.resolve("images"));
  }

  private static JobConfig threeWorkers() {
    return SmallRun.config(directory.resolve("images"), "workers.count=3");
  }

  private static SparkSession session(String master) {
    SparkSession session =
        SparkSession.builder()
            .master(master)
            .config("spark.ui.enabled", false)
            .config("spark.sql.shuffle.partitions", 1)
            .config("spark.executor.extraClassPath", jar)
            .config("spark.executor.extraJavaOptions", VECTOR)
            // no task before both executors are there
            .config("spark.scheduler.minRegisteredResourcesRatio", 1)
            .config("spark.scheduler.maxRegisteredResourcesWaitingTime", "60s")
            .getOrCreate();
    session.sparkContext().setLogLevel("OFF");
    return session;
  }

  private static List<EpochOutcome> train(SparkSession session, Consumer<EpochOutcome> watcher) {
    return train(session, config(), watcher);
  }

  private static List<EpochOutcome> train(
      SparkSession session, JobConfig config, Consumer<EpochOutcome> watcher) {
    var spark = JavaSparkContext.fromSparkContext(session.sparkContext());
    List<EpochOutcome> epochs = new ArrayList<>();
    try (var run = new SparkRun(spark, config)) {
      run.train(
          run.initialState(),
          epoch -> {
            epochs.add(epoch);
            watcher.accept(epoch);
          });
    }
    return epochs;
  }

  private static List<ProcessHandle> executors() {
    return ProcessHandle.current()
        .children()
        .filter(child -> child.info().command().orElse("").endsWith("java"))
        .toList();
  }

  private static void assertSameRun(List<EpochOutcome> actual) {
    assertSameRun(actual, inProcess);
  }

  private static void assertSameRun(List<EpochOutcome> actual, List<EpochOutcome> inProcess) {
    assertThat(actual).hasSameSizeAs(inProcess);
    for (int i = 0; i < actual.size(); i++) {
      EpochOutcome epoch = actual.get(i);
      EpochOutcome expected = inProcess.get(i);
      assertThat(epoch.model().sha256()).isEqualTo(expected.model().sha256());
      assertThat(epoch.model().blocks()).isEqualTo(expected.model().blocks());
      assertThat(epoch.scores().validation()).isEqualTo(expected.scores().validation());
      assertThat(epoch.scores().test()).isEqualTo(expected.scores().test());
    }
  }

  @Test
  @Order(1)
  void twoExecutorProcessesReachTheBitsOfOneProcess() {
    List<Integer> processes = new ArrayList<>();

    List<EpochOutcome> epochs = train(cluster, epoch -> processes.add(executors().size()));

    assertSameRun(epochs);
    assertThat(processes).containsOnly(2);
    assertThat(epochs)
        .allSatisfy(
            epoch ->
                assertThat(epoch.workers())
                    .extracting(share -> share.task().executor())
                    .containsExactlyInAnyOrder("0", "1"));
    assertThat(epochs)
        .extracting(epoch -> epoch.workers().get(0).task().executor())
        .as("a worker stays where it was")
        .containsOnly(epochs.get(0).workers().get(0).task().executor());
  }

  @Test
  @Order(2)
  void moreWorkersThanExecutorsTakeTurns() {
    assertSameRun(train(cluster, threeWorkers(), epoch -> {}), threeInProcess);
  }

  @Test
  @Order(3)
  void aLossThatIsNoNumberIsNotTriedAgain() {
    var attempts = new Attempts();
    cluster.sparkContext().addSparkListener(attempts);
    JobConfig diverging =
        SmallRun.config(
            directory.resolve("images"), "optimizer.base-lr=1e30", "optimizer.warmup=0");

    assertThatThrownBy(() -> train(cluster, diverging, epoch -> {}))
        .isInstanceOf(NonFiniteLossException.class)
        .message()
        .matches("the loss became NaN in epoch 1, worker [01], step \\d+; lower .*");

    cluster.sparkContext().removeSparkListener(attempts);
    assertThat(attempts.failed.get()).as("of the two workers' 8 attempts").isBetween(1, 4);
  }

  /** Each executor dies once, in the middle of an epoch. */
  @Test
  @Order(4)
  void executorsThatAreKilledCostTimeButNoBit() {
    var killer = new Killer();
    cluster.sparkContext().addSparkListener(killer);

    List<EpochOutcome> epochs = train(cluster, epoch -> killer.victim = epoch.plan().epoch());

    assertSameRun(epochs);
    assertThat(killer.killed).containsExactlyInAnyOrder("0", "1");
  }

  private static JobConfig rounds(String exchange) {
    return SmallRun.config(
        directory.resolve("images"),
        "averaging={exchange = %s, rounds = 4}".formatted(exchange),
        "workers.count=3");
  }

  @Test
  @Order(3)
  void roundsByBlocksReachTheBitsOfOneProcess() {
    assertSameRun(train(cluster, rounds("blocks"), epoch -> {}), roundsInProcess);
    assertNoBlocksAreLeft();
  }

  /** In a round, and both at once. */
  @ParameterizedTest
  @CsvSource({"3, 0", "5, -1"})
  @Order(5)
  void executorsThatAreKilledBetweenAveragesCostNoBit(int job, int place) throws Exception {
    assertKilledCostsNoBit(job, place);
  }

  /** As its slices are averaged, and in the last average of an epoch. */
  @Tag("slow")
  @ParameterizedTest
  @CsvSource({"6, 1", "8, 0"})
  @Order(5)
  void executorsThatAreKilledInAnAverageCostNoBit(int job, int place) throws Exception {
    assertKilledCostsNoBit(job, place);
  }

  private static void assertKilledCostsNoBit(int job, int place) throws Exception {
    var killer = new JobKiller(job, place);
    cluster.sparkContext().addSparkListener(killer);

    List<EpochOutcome> epochs = train(cluster, rounds("blocks"), epoch -> {});

    cluster.sparkContext().listenerBus().waitUntilEmpty();
    cluster.sparkContext().removeSparkListener(killer);
    assertSameRun(epochs, roundsInProcess);
    assertThat(killer.killed).hasSize(place < 0 ? 2 : 1);
    assertThat(killer.begun)
        .as("jobs: two a round and one of each of two evaluations, and those of another attempt")
        .isGreaterThanOrEqualTo(job < 8 ? 27 : 26); // after the last average it may be too late
    assertNoBlocksAreLeft();
  }

  /** Asks every executor for blocks of the RDDs of late. */
  private static void assertNoBlocksAreLeft() {
    int next = cluster.sparkContext().newRddId();
    List<String> found = new ArrayList<>();
    long deadline = System.nanoTime() + 10_000_000_000L; // Spark frees them in the background
    do {
      found.clear();
      for (int rdd = Math.max(0, next - 100); rdd < next; rdd++) {
        for (int block = 0; block < 6; block++) {
          var id = new RDDBlockId(rdd, block);
          var holders = SparkEnv.get().blockManager().master().getBlockStatus(id, true);
          if (!holders.isEmpty()) {
            found.add(id.name());
          }
        }
      }
    } while (!found.isEmpty() && System.nanoTime() < deadline);
    assertThat(found).isEmpty();
  }

  /** Kills the process of an executor, or of all, when a job of the run begins. */
  private static final class JobKiller extends SparkListener {
    private final int job;
    private final int place;
    private final List<ProcessHandle> killed = new CopyOnWriteArrayList<>();
    private volatile int begun;

    /**
     * @param job of the run, from 1
     * @param place the first or the second of the executors that there are; less than 0 for all
     */
    JobKiller(int job, int place) {
      this.job = job;
      this.place = place;
    }

    @Override
    public void onJobStart(SparkListenerJobStart start) {
      if (++begun == job) {
        List<ProcessHandle> all = executors();
        killed.addAll(place < 0 ? all : all.subList(place, place + 1));
        killed.forEach(ProcessHandle::destroyForcibly);
      }
    }
  }

  /** Kills the process of an executor as soon as a task runs there; each only once. */
  private static final class Killer extends SparkListener {
    private final List<String> killed = new CopyOnWriteArrayList<>();
    private volatile int victim = -1;

    @Override
    public void onTaskStart(SparkListenerTaskStart start) {
      String executor = start.taskInfo().executorId();
      if (executor.equals(String.valueOf(victim)) && !killed.contains(executor)) {
        killed.add(executor);
        executors().stream()
            .filter(process -> commandLine(process).contains("--executor-id " + executor + " "))
            .forEach(ProcessHandle::destroyForcibly);
      }
    }
  }

  private static String commandLine(ProcessHandle process) {
    return process.info().commandLine().orElse("") + " ";
  }

  private static final class Attempts extends SparkListener {
    private final AtomicInteger failed = new AtomicInteger();

    @Override
    public void onTaskEnd(SparkListenerTaskEnd end) {
      if (end.reason() instanceof ExceptionFailure) {
        failed.incrementAndGet();
      }
    }
  }
}
