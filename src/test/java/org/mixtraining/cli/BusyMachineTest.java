package org.mixtraining.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.cli.SmallJob.Driver;
import org.mixtraining.config.JobConfig;
import org.mixtraining.kernels.Engine;
import org.mixtraining.schedule.Objective;
import org.mixtraining.spark.FrozenModel;
import org.mixtraining.spark.FrozenModel.TaskFeatures;
import org.mixtraining.spark.SparkRun;
import org.mixtraining.train.LinearProbe;
import org.mixtraining.train.NearestNeighbours;
import org.mixtraining.train.WorkerEpoch;
import org.mixtraining.train.Workload;
import org.mixtraining.vit.Replica;
import org.mixtraining.vit.layers.Compute;
import org.mixtraining.vit.state.ModelState;

/**
 * Trains, evaluates and benches by 2, 3 and 8 threads on one core and on two while other processes
 * burn both of them: every time it is to end, with what an undisturbed thread comes to. After
 * {@code mvn -q package -DskipTests}: {@code mvn surefire:test -Dtest=BusyMachineTest
 * -Dexcluded.tags= -Drounds=300 -Dprocesses=3}.
 */
@Tag("slow")
class BusyMachineTest {
  private static final int ROUNDS = Integer.getInteger("rounds", 20);
  private static final int PROCESSES = Integer.getInteger("processes", 1);
  private static final List<Integer> THREADS = List.of(2, 3, 8);
  private static final List<String> CORES = List.of("0", "0,1");

  private final Random random = new Random(0);
  private final List<Process> burners = new ArrayList<>();
  @TempDir private Path directory;

  @BeforeEach
  void burn() throws Exception {
    assumeThat(keepTo("0,1", ProcessHandle.current().pid()))
        .as("taskset, and two cores to be moved between")
        .isZero();
    for (String core : List.of("0", "1")) {
      // Until this process is gone, however it goes.
      burners.add(
          new ProcessBuilder(
                  "taskset", "-c", core, "sh", "-c", "while kill -0 $PPID; do :; done 2>/dev/null")
              .start());
    }
  }

  @AfterEach
  void stop() throws Exception {
    burners.forEach(Process::destroyForcibly);
    keepTo("0,1", ProcessHandle.current().pid());
  }

  /** Moves all threads of a process. */
  private static int keepTo(String cores, long pid) throws Exception {
    return new ProcessBuilder("taskset", "-acp", cores, "" + pid)
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .start()
        .waitFor();
  }

  // --- many rounds in this process
  // -----------------------------------------------------------------

  private interface Work {
    Object by(int threads);
  }

  @Test
  void whatIsComputedIsTheSameToTheBit() throws Exception {
    assertThat(Printed.by(words("prepare", 1)).exitCode()).isZero();
    var conf = new SparkConf().setMaster("local[2]").setAppName("busy");
    try (var spark = new JavaSparkContext(conf.set("spark.ui.enabled", "false"))) {
      ModelState model = train(spark, 1);
      Map<String, Work> works = new TreeMap<>();
      works.put("train", threads -> train(spark, threads));
      works.put("evaluate", threads -> evaluate(spark, model, threads));
      works.put("bench sl", threads -> bench(Objective.SL, threads));
      works.put("bench joint", threads -> bench(Objective.JOINT, threads));
      Map<String, Object> expected = new TreeMap<>();
      works.forEach((name, work) -> expected.put(name, work.by(1)));
      SortedMap<String, Integer> rounds = new TreeMap<>();
      for (int round = 0; round < ROUNDS; round++) {
        String name = List.copyOf(works.keySet()).get(round % works.size());
        int threads = THREADS.get(random.nextInt(THREADS.size()));
        String cores = CORES.get(random.nextInt(CORES.size()));
        keepTo(cores, ProcessHandle.current().pid());
        assertThat(works.get(name).by(threads))
            .as("round %s: %s by %s threads on %s", round, name, threads, cores)
            .isEqualTo(expected.get(name));
        rounds.merge(name + ", cores " + cores + ", threads " + threads, 1, Integer::sum);
      }
      rounds.forEach((name, times) -> System.out.println(name + ": " + times));
    }
  }

  private JobConfig config(int threads) {
    List<String> words = List.of(words("train", threads));
    return JobConfig.load(
        Optional.empty(), words.stream().filter(word -> word.contains("=")).toList());
  }

  private String[] words(String command, int threads) {
    List<String> words = new ArrayList<>(List.of(command));
    for (String setting :
        List.of(
            "data.path=" + directory.resolve("images"),
            "data.synthetic={train = 60, test = 20}",
            "data.shards=2",
            "model={preset = vit-nano, patch = 8, decoder.depth = 1}",
            "epochs={ssl = 1, sl = 2}",
            "mix.ratio=0.5",
            "augment.sl.rand-augment.ops=2",
            "averaging.outer-momentum=0.5",
            "optimizer.batch-size=16",
            "workers={count = 2, threads-per-worker = %s}".formatted(threads))) {
      words.addAll(List.of("-D", setting));
    }
    return words.toArray(String[]::new);
  }

  private ModelState train(JavaSparkContext spark, int threads) {
    try (var run = new SparkRun(spark, config(threads))) {
      return run.train(run.initialState(), epoch -> {}).model();
    }
  }

  /** Features, and what both classifiers say of the test images. */
  private List<Object> evaluate(JavaSparkContext spark, ModelState model, int threads) {
    List<Object> said = new ArrayList<>();
    try (Engine engine = Engine.cpu(threads)) {
      for (TaskFeatures task : new FrozenModel(spark, config(threads), model).features()) {
        var neighbours = new NearestNeighbours(engine, task.training(), task.classes());
        var probe = LinearProbe.fit(engine, task.training(), task.validation(), task.classes());
        said.add(floats(task.training().values()));
        said.add(ints(neighbours.predict(task.test())));
        said.add(ints(probe.predict(task.test())));
      }
    }
    return said;
  }

  private static List<Float> floats(float[] values) {
    List<Float> list = new ArrayList<>();
    for (float value : values) {
      list.add(value);
    }
    return list;
  }

  private static List<Integer> ints(int[] values) {
    List<Integer> list = new ArrayList<>();
    for (int value : values) {
      list.add(value);
    }
    return list;
  }

  /** Where the steps of a bench end. */
  private ModelState bench(Objective objective, int threads) {
    Workload work = Workload.of(config(threads), objective);
    Engine engine = Engine.cpu(threads);
    try (Compute compute = new Compute(engine);
        Compute.Scope scope = compute.use();
        Replica replica = work.replica()) {
      WorkerEpoch.run(replica, work.plan(), 0, work.batches(3, engine.workerThreads()));
      return replica.state();
    }
  }

  // --- whole commands
  // ------------------------------------------------------------------------------

  @Test
  void commandsEndAsOnAnIdleMachine() throws Exception {
    var job = new SmallJob(directory);
    finish(job, "0", Map.of(), "prepare", "ignored", 1);
    finish(job, "0,1", Map.of("MASTER", "local[2]"), "train", "calm", 1);
    List<String> judged = accuracies(finish(job, "0,1", Map.of(), "evaluate", "calm", 1));
    assertThat(judged).isNotEmpty();
    for (int i = 0; i < PROCESSES * CORES.size(); i++) {
      String cores = CORES.get(i % CORES.size());
      int threads = THREADS.get(i % THREADS.size());
      Map<String, String> one = Map.of("JAVA_TOOL_OPTIONS", "-XX:ActiveProcessorCount=1");
      for (Map<String, String> machine : List.of(one, Map.<String, String>of())) {
        String id = String.format(Locale.ROOT, "busy-%d-%d", i, machine.size());
        finish(job, cores, machine, "train", id, threads);
        assertThat(job.row(id).stateSha256()).as(id).isEqualTo(job.row("calm").stateSha256());
        assertThat(accuracies(finish(job, cores, machine, "evaluate", id, threads)))
            .as(id)
            .isEqualTo(judged);
        assertThat(finish(job, cores, machine, "bench", id, threads)).contains("images/s");
        finish(job, cores, machine, "report", id, threads);
      }
    }
  }

  private static List<String> accuracies(String json) {
    return Pattern.compile("\"accuracy\" *: *[0-9.]+")
        .matcher(json)
        .results()
        .map(MatchResult::group)
        .toList();
  }

  /** A command that succeeds, on cores of its own choice. */
  private static String finish(
      SmallJob job,
      String cores,
      Map<String, String> environment,
      String command,
      String id,
      int threads)
      throws Exception {
    List<String> more = new ArrayList<>(List.of("-D", "workers.threads-per-worker=" + threads));
    switch (command) {
      case "evaluate" -> more.addAll(List.of("--run", id, "--json"));
      case "report" -> more.addAll(List.of("--run", id, "-o", job.directory() + "/report.html"));
      default -> {} // takes no run
    }
    Driver driver = job.start(environment, command, id, more.toArray(String[]::new));
    keepTo(cores, driver.process().pid());
    assertThat(driver.exit())
        .as("%s %s on cores %s:%n%s", command, id, cores, driver.said())
        .isZero();
    return driver.said();
  }
}
