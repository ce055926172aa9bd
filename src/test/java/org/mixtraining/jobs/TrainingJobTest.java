package org.mixtraining.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.apache.hadoop.conf.Configuration;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.hadoop.ParquetReader;
import org.apache.parquet.hadoop.example.GroupReadSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.checkpoint.Checkpoints;
import org.mixtraining.config.Causes;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.UserException;
import org.mixtraining.data.DatasetManifest;
import org.mixtraining.data.Normalization;
import org.mixtraining.data.Split;
import org.mixtraining.files.FullFileSystem;
import org.mixtraining.files.KillableFileSystem;
import org.mixtraining.files.WaitingFileSystem;
import org.mixtraining.results.RunRow;
import org.mixtraining.results.RunRow.Status;
import org.mixtraining.results.Tables;
import org.mixtraining.run.Backend;
import org.mixtraining.run.EpochResult;
import org.mixtraining.run.EpochScores;
import org.mixtraining.run.EpochTrainer;
import org.mixtraining.run.Evaluator;
import org.mixtraining.run.RunState;
import org.mixtraining.run.ShardAssignment;
import org.mixtraining.run.TaskInfo;
import org.mixtraining.run.TrainingLoop;
import org.mixtraining.run.WorkerShare;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.schedule.Objective;
import org.mixtraining.schedule.Patience;
import org.mixtraining.schedule.Rounds;
import org.mixtraining.train.EpochMetrics;
import org.mixtraining.train.Prediction;
import org.mixtraining.train.Score;
import org.mixtraining.train.Scores;
import org.mixtraining.vit.state.ModelState;
import org.mixtraining.vit.state.ModelState.Block;

/** Runs whose training is a moment's arithmetic, so that they can be stopped at every step. */
class TrainingJobTest {
  private static final int[] CORRECT = {9, 9, 5, 7};
  private static final Configuration HADOOP = new Configuration();
  private static final String LOCK = "checkpoints/a/LOCK";

  private static final DatasetManifest DATASET =
      new DatasetManifest(
          "f",
          "l",
          List.of("only"),
          1,
          1,
          1,
          1,
          1,
          0,
          0,
          Map.of(),
          0,
          new Normalization(List.of(), List.of()),
          "f",
          0,
          List.of());

  @TempDir Path output;
  private final List<String> told = new ArrayList<>();
  private final List<ModelState> asked = new ArrayList<>();
  private Map<String, List<Prediction>> predictions = Map.of();

  private JobConfig config(String... overrides) {
    List<String> all =
        new ArrayList<>(
            List.of(
                "run.id=a",
                "pipeline=sl",
                "epochs.sl=4",
                "averaging.outer-momentum=0.5",
                "run.output=" + output));
    all.addAll(List.of(overrides));
    return JobConfig.load(Optional.empty(), all);
  }

  // --- a training that needs no time -------------------------------------------------------------

  private static RunState initial() {
    float[] zeros = new float[50];
    Block moments = new Block(new float[0], zeros, zeros, 0);
    return new RunState(
        0,
        new ModelState(Map.of("encoder", new Block(zeros, zeros, zeros, 0))),
        new TreeMap<>(Map.of(Objective.SSL, new ModelState(Map.of("encoder", moments)))),
        new ModelState(Map.of("encoder", new Block(zeros, new float[0], new float[0], 0))),
        Patience.FRESH,
        ShardAssignment.EQUAL);
  }

  /** Every number of the state after an epoch depends on every one before it. */
  private EpochResult train(EpochPlan plan, RunState state) {
    EpochMetrics metrics =
        new EpochMetrics(
            100, new TreeMap<>(Map.of("head", 100L)), 60, 4, 10 * plan.epoch(), 0, 1, 1e9, 2, 0.5);
    TaskInfo task = new TaskInfo("host", "0", "cpu", 2, 0, 1, 1, 1);
    return new EpochResult(
        changed(state.model(), state.averaging().block("encoder").parameters()[0]),
        List.of(new WorkerShare(0, metrics, task, 1)),
        new Rounds(4, 2, "two are asked for"),
        1000,
        new ShardAssignment(List.of(1.0 + state.epochs(), 1.0)));
  }

  private static ModelState changed(ModelState state, float by) {
    SortedMap<String, Block> blocks = new TreeMap<>();
    state
        .blocks()
        .forEach(
            (name, b) ->
                blocks.put(
                    name,
                    new Block(
                        changed(b.parameters(), by + 1),
                        changed(b.m(), by + 2),
                        changed(b.v(), by + 3),
                        b.steps() + 7)));
    return new ModelState(blocks);
  }

  private static float[] changed(float[] values, float by) {
    float[] changed = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      changed[i] = 0.7f * values[i] + by * (i + 1) / 3;
    }
    return changed;
  }

  private static Scores scores(int correct) {
    return Scores.of("main", new Score(List.of(new Score.OfClass(10, correct, 10, 1))));
  }

  /** Trains in no time, and predicts what it is told to. */
  private Backend backend(EpochTrainer trainer) {
    return new Backend() {
      @Override
      public EpochTrainer trainer() {
        return trainer;
      }

      @Override
      public Evaluator evaluator() {
        return new Evaluator() {
          @Override
          public EpochScores score(EpochPlan plan, ModelState model) {
            return new EpochScores(scores(CORRECT[plan.epoch()]), scores(plan.epoch()), 1e8, 0.3);
          }

          @Override
          public SortedMap<String, List<Prediction>> predict(ModelState model, Split split) {
            asked.add(model);
            return new TreeMap<>(predictions);
          }
        };
      }

      @Override
      public void close() {}
    };
  }

  /** Training takes 1.5 s, and so does scoring. */
  private static LongSupplier clock() {
    AtomicLong now = new AtomicLong();
    return () -> now.addAndGet(1_500_000_000);
  }

  // --- starting it -------------------------------------------------------------------------------

  private RunRow start(Configuration hadoop, JobConfig config, String fingerprint) {
    return start(hadoop, config, fingerprint, initial(), this::train, 0);
  }

  /**
   * @param interrupted after so many epochs; 0 is never
   */
  private RunRow start(
      Configuration hadoop,
      JobConfig config,
      String fingerprint,
      RunState initial,
      EpochTrainer trainer,
      int interrupted) {
    var setup =
        new RunRow.Setup(
            config.pipeline(), "m", 50, 0, 1, 4, "data", fingerprint, null, config.canonical());
    var provenance =
        new Provenance(
            setup,
            Map.of("main", DATASET),
            new TreeMap<>(Map.of("dataset.fingerprint", fingerprint)));
    try (var interruption = new Interruption();
        var job = new TrainingJob("a", config, hadoop, told::add, clock())) {
      Optional<RunRow> before = job.record().row();
      return job.train(
          new TrainingJob.Start(
              provenance, initial, before, before.flatMap(found -> job.record().newest())),
          backend(trainer),
          row -> {},
          interruption,
          epoch -> {
            if (epoch.state().epochs() == interrupted) {
              interruption.request();
              throw new IllegalStateException("cancelled");
            }
          });
    }
  }

  private RunRow start(String... overrides) {
    return start(HADOOP, config(overrides), "f");
  }

  private RunRow startInterrupted(int epochs, String... overrides) {
    return start(HADOOP, config(overrides), "f", initial(), this::train, epochs);
  }

  /** Where the epochs end that a run begins with. */
  private RunState after(int epochs) {
    List<RunState> states = new ArrayList<>();
    Backend backend = backend(this::train);
    new TrainingLoop(
            config(),
            backend.trainer(),
            backend.evaluator(),
            epoch -> states.add(epoch.state()),
            clock())
        .run(initial());
    return states.get(epochs - 1);
  }

  private RunState end() {
    return after(CORRECT.length);
  }

  // --- what it left ------------------------------------------------------------------------------

  /** Every file that a reader would see, by name, without what a clock says. */
  private SortedMap<String, String> left() throws IOException {
    SortedMap<String, String> left = new TreeMap<>();
    try (var files = Files.walk(output)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        String name = output.relativize(file).toString();
        if (!file.getFileName().toString().startsWith(".")) {
          left.put(name, name.endsWith(".parquet") ? rows(file) : bytes(file));
        }
      }
    }
    return left;
  }

  private static String bytes(Path file) throws IOException {
    return new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1)
        .replaceAll("(started|ended)\" : \"[^\"]*", "$1");
  }

  private static String rows(Path file) throws IOException {
    StringBuilder rows = new StringBuilder();
    var path = new org.apache.hadoop.fs.Path(file.toUri());
    try (var reader = ParquetReader.builder(new GroupReadSupport(), path).build()) {
      for (Group row = reader.read(); row != null; row = reader.read()) {
        rows.append(row.toString().replaceAll("(started|ended|finished_at): \\d+", "$1"));
      }
    }
    return rows.toString();
  }

  private void clear() throws IOException {
    try (var files = Files.walk(output)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        if (!file.equals(output)) {
          Files.delete(file);
        }
      }
    }
  }

  @Test
  void aRunLeavesItsRowsItsNewestCheckpointsAndTwoModels() throws IOException {
    RunRow row = start();

    assertThat(row.status()).isEqualTo(Status.FINISHED);
    assertThat(row.stateSha256()).isEqualTo(end().model().sha256());
    assertThat(row.progress().bestEpoch()).isEqualTo(2);
    assertThat(left().keySet())
        .containsExactly(
            "checkpoints/a/best.safetensors",
            "checkpoints/a/epoch-00003.safetensors",
            "checkpoints/a/epoch-00004.safetensors",
            "checkpoints/a/final.safetensors",
            "summaries/a/summary.json",
            "tables/classes/run_id=a/classes-00001.parquet",
            "tables/epochs/run_id=a/epochs-00001.parquet",
            "tables/runs/run_id=a/run.parquet",
            "tables/workers/run_id=a/workers-00001.parquet");
    var checkpoints = new Checkpoints(HADOOP, output.toString(), "a");
    assertThat(checkpoints.newest(told::add).orElseThrow().state()).isEqualTo(end());
    assertThat(checkpoints.read(Checkpoints.Model.FINAL).orElseThrow().state().model())
        .isEqualTo(end().model().withoutMoments());
    assertThat(checkpoints.read(Checkpoints.Model.BEST).orElseThrow().state().model())
        .isEqualTo(after(2).model().withoutMoments());
    assertThat(told).isEmpty();
  }

  @Test
  void aSchedulerCanDecideByTheSummary() throws IOException {
    var json = new ObjectMapper();
    Path file = output.resolve("summaries/a/summary.json");
    assertThatThrownBy(() -> startInterrupted(3)).isInstanceOf(InterruptedRunException.class);
    JsonNode interrupted = json.readTree(file.toFile());
    RunRow row = start();
    JsonNode finished = json.readTree(file.toFile());

    assertThat(interrupted.get("status").asText()).isEqualTo("interrupted");
    assertThat(interrupted.get("exit_code").asInt()).isEqualTo(3);
    assertThat(interrupted.get("resumable").asBoolean()).isTrue();
    assertThat(interrupted.get("epochs_done").asInt()).isEqualTo(3);
    assertThat(interrupted.at("/models/last").isNull()).isTrue();
    assertThat(finished.get("exit_code").asInt()).isZero();
    assertThat(finished.get("exit_meaning").asText()).isEqualTo("done");
    assertThat(finished.get("resumable").asBoolean()).isFalse();
    assertThat(finished.get("state_sha256").asText()).isEqualTo(row.stateSha256());
    assertThat(finished.at("/accuracy/best_epoch").asInt()).isEqualTo(2);
    assertThat(finished.at("/cost/images").asLong()).isEqualTo(400);
    assertThat(Path.of(URI.create(finished.at("/models/best").asText()))).isRegularFile();
    assertThat(Path.of(URI.create(finished.at("/models/last").asText()))).isRegularFile();
    assertThat(Path.of(URI.create(finished.get("tables").asText()))).isDirectory();
  }

  @Test
  void whatIsPredictedIsKeptOnceByTheModelThatWasBestOnValidation() throws IOException {
    predictions = Map.of("main", List.of(new Prediction(8, 0, 0, 0.5f)));
    start();
    start();

    assertThat(asked).hasSize(2).containsOnly(after(2).model().withoutMoments());
    assertThat(left().get("tables/predictions/run_id=a/predictions-test.parquet"))
        .isEqualTo(
            """
            split: test
            id: 8
            task: main
            label: 0
            label_name: only
            predicted: 0
            predicted_name: only
            probability: 0.5
            model: best
            epoch: 2
            """);
  }

  @Test
  void whereverItIsKilledItEndsWithTheSameFiles() throws IOException {
    killAtEvery(5);
  }

  @Test
  @Tag("slow")
  void killedAtEverySingleOperationItEndsWithTheSameFiles() throws IOException {
    killAtEvery(1);
  }

  /**
   * Killed at the first operation that changes a file, and every so many on, then started again.
   */
  private void killAtEvery(int step) throws IOException {
    JobConfig config = config("epochs.sl=3", "checkpoint.every=2", "checkpoint.keep=1");
    start(HADOOP, config, "f");
    SortedMap<String, String> undisturbed = left();
    Configuration mortal = KillableFileSystem.configuration();
    boolean killed = true;
    int operation;
    for (operation = 1; killed; operation += step) {
      clear();
      KillableFileSystem.killAt(operation);
      try {
        start(mortal, config, "f");
        killed = false;
      } catch (KillableFileSystem.Killed e) {
        Files.deleteIfExists(output.resolve(LOCK)); // this process, unlike a killed one, lives
        start(HADOOP, config, "f");
      }
      assertThat(left()).as("killed at operation %d", operation).isEqualTo(undisturbed);
    }
    assertThat(operation).isGreaterThan(40);
  }

  @Test
  void aRunThatIsInterruptedKeepsItsLastEpochThoughNoCheckpointWasDue() throws IOException {
    assertThatThrownBy(() -> startInterrupted(3, "checkpoint.every=2"))
        .isInstanceOf(InterruptedRunException.class);

    assertThat(left()).containsKey("checkpoints/a/epoch-00003.safetensors").doesNotContainKey(LOCK);
    assertThat(new Tables(HADOOP, output.toString()).run("a").orElseThrow().status())
        .isEqualTo(Status.INTERRUPTED);
    assertThat(start("checkpoint.every=2").stateSha256()).isEqualTo(end().model().sha256());
    assertThat(told).containsExactly("run a resumes after epoch 3 of 4");
  }

  /** Else it would end as a failure, since the first one's rows wait for the second to begin. */
  @Test
  void anEpochIsWrittenWhileTheNextOneTrains() {
    CountDownLatch second = new CountDownLatch(1);
    EpochTrainer trainer =
        (plan, state) -> {
          if (plan.epoch() == 1) {
            second.countDown();
          }
          return train(plan, state);
        };
    Configuration slow = WaitingFileSystem.configuration("epochs-", second);

    RunRow row = start(slow, config(), "f", initial(), trainer, 0);

    assertThat(WaitingFileSystem.asked()).isTrue();
    assertThat(row.status()).isEqualTo(Status.FINISHED);
    assertThat(row.stateSha256()).isEqualTo(end().model().sha256());
  }

  @Test
  void aRunGoesOnWithItsStartAndItsSums() {
    assertThatThrownBy(() -> startInterrupted(3)).isInstanceOf(InterruptedRunException.class);
    RunRow interrupted = new Tables(HADOOP, output.toString()).run("a").orElseThrow();

    RunRow finished = start();

    assertThat(finished.started()).isEqualTo(interrupted.started());
    assertThat(finished.progress().images()).isEqualTo(400);
    assertThat(finished.progress().seconds()).isEqualTo(12);
    assertThat(finished.progress().bestEpoch()).isEqualTo(2);
  }

  @Test
  void aDamagedCheckpointCostsAnEpochAndNoBit() throws IOException {
    start();
    SortedMap<String, String> undisturbed = left();
    clear();
    assertThatThrownBy(() -> startInterrupted(3)).isInstanceOf(InterruptedRunException.class);
    Path newest = output.resolve("checkpoints/a/epoch-00003.safetensors");
    Files.write(newest, new byte[1000]);

    start();

    assertThat(left()).isEqualTo(undisturbed);
    assertThat(told)
        .satisfiesExactly(
            line -> assertThat(line).matches("skipped \\S+/epoch-00003.safetensors: its header.*"),
            line -> assertThat(line).isEqualTo("run a resumes after epoch 2 of 4"));
  }

  @Test
  void whereEveryCheckpointIsDamagedItBeginsAgain() throws IOException {
    assertThatThrownBy(() -> startInterrupted(2)).isInstanceOf(InterruptedRunException.class);
    Files.write(output.resolve("checkpoints/a/epoch-00001.safetensors"), new byte[0]);
    Files.write(output.resolve("checkpoints/a/epoch-00002.safetensors"), new byte[0]);

    assertThat(start().stateSha256()).isEqualTo(end().model().sha256());
    assertThat(told).last().isEqualTo("run a starts again: it has no checkpoint");
  }

  @Test
  void aFailureIsRecordedWithItsReasonAndTheRunCanGoOn() {
    JobConfig config = config();
    assertThatThrownBy(
            () ->
                start(
                    HADOOP,
                    config,
                    "f",
                    initial(),
                    (plan, state) -> {
                      throw new IllegalStateException("no cluster");
                    },
                    0))
        .hasMessage("no cluster");
    RunRow row = new Tables(HADOOP, output.toString()).run("a").orElseThrow();

    assertThat(row.status()).isEqualTo(Status.FAILED);
    assertThat(row.error()).isEqualTo("IllegalStateException: no cluster");
    assertThat(start().status()).isEqualTo(Status.FINISHED);
  }

  @Test
  void aDiskThatIsFullAtAnyByteIsTheReasonAndNothingIsLeftBehind() throws IOException {
    start();
    long all = size();
    SortedMap<String, String> expected = left();
    for (long capacity = 0; capacity < all; capacity += all / 8) {
      empty();
      Configuration full = FullFileSystem.configuration(output, capacity / (all / 8) % 3 > 0);
      FullFileSystem.capacity = capacity;
      String at = "full at byte " + capacity;
      assertThatThrownBy(() -> start(full, config(), "f"))
          .as(at)
          .satisfies(
              e -> assertThat(Causes.reason(e)).contains("No space left").doesNotContain("\n"));

      assertThat(names()).as(at).noneMatch(name -> name.startsWith(".") || name.equals("LOCK"));
      Optional<RunRow> row = new Tables(HADOOP, output.toString()).run("a");
      if (row.isPresent()) {
        assertThat(row.get().status()).as(at).isEqualTo(Status.FAILED);
        assertThat(row.get().error()).as(at).contains("No space left");
      }
      Path summary = output.resolve("summaries/a/summary.json");
      if (Files.exists(summary)) {
        assertThat(Files.readString(summary)).as(at).contains("\"failed\"", "No space left");
      }
      if (row.isPresent()
          || !Files.exists(output.resolve("checkpoints/a/epoch-00001.safetensors"))) {
        start();
        assertThat(left()).as(at).isEqualTo(expected);
      }
    }
  }

  private List<String> names() throws IOException {
    try (var files = Files.walk(output)) {
      return files.filter(Files::isRegularFile).map(f -> f.getFileName().toString()).toList();
    }
  }

  private long size() throws IOException {
    return FullFileSystem.size(output);
  }

  private void empty() throws IOException {
    try (var files = Files.walk(output)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        if (!file.equals(output)) {
          Files.delete(file);
        }
      }
    }
  }

  // --- what it refuses ---------------------------------------------------------------------------

  @Test
  void anotherConfigurationIsRefusedByItsKeys() {
    assertThatThrownBy(() -> startInterrupted(2)).isInstanceOf(InterruptedRunException.class);

    assertThatThrownBy(() -> start("optimizer.base-lr=0.01", "checkpoint.keep=9"))
        .isInstanceOf(UserException.class)
        .hasMessage(
            "mixtraining.optimizer.base-lr = 0.01, but was 0.004\n"
                + "mixtraining.run.id = a: this run started with other values; restore those, choose another id, or train it again with --force");
  }

  @Test
  void harmlessKeysMayChange() {
    assertThatThrownBy(() -> startInterrupted(2)).isInstanceOf(InterruptedRunException.class);

    assertThat(start("checkpoint.keep=9", "workers.threads-per-worker=2").stateSha256())
        .isEqualTo(end().model().sha256());
  }

  @Test
  void otherDataIsRefused() {
    assertThatThrownBy(() -> startInterrupted(2)).isInstanceOf(InterruptedRunException.class);

    assertThatThrownBy(() -> start(HADOOP, config(), "another"))
        .isInstanceOf(UserException.class)
        .hasMessageContaining(
            "dataset changed since run a started: dataset.fingerprint was f, now another");
  }

  @Test
  void anotherModelIsRefused() {
    assertThatThrownBy(() -> startInterrupted(2)).isInstanceOf(InterruptedRunException.class);
    float[] two = new float[2];
    var smaller = initial().with(new ModelState(Map.of("encoder", new Block(two, two, two, 0))));

    assertThatThrownBy(() -> start(HADOOP, config(), "f", smaller, this::train, 0))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("the checkpoint holds another model, {encoder=50} instead of");
  }

  @Test
  void aRunWhoseRowsAreGoneIsNotMistakenForANewOne() throws IOException {
    start();
    Files.delete(output.resolve("tables/runs/run_id=a/run.parquet"));

    assertThatThrownBy(() -> start())
        .isInstanceOf(UserException.class)
        .hasMessageContaining("there are checkpoints of this run, but no rows");
  }

  @Test
  void aForgottenRunLeavesNothing() throws IOException {
    start();
    try (var job = new TrainingJob("a", config(), HADOOP, told::add)) {
      job.forget();
      assertThat(job.finished()).isEmpty();
      assertThat(left().keySet()).containsExactly(LOCK);
    }
  }
}
