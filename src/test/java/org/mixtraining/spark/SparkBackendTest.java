package org.mixtraining.spark;

import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerStageSubmitted;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.serializer.KryoSerializer;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.storage.BlockId;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mixtraining.config.DataConfig;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.UserException;
import org.mixtraining.config.WorkersConfig.Precision;
import org.mixtraining.data.Minibatches;
import org.mixtraining.data.Split;
import org.mixtraining.data.prepare.Prepare;
import org.mixtraining.kernels.Device;
import org.mixtraining.kernels.Engine;
import org.mixtraining.kernels.Processor;
import org.mixtraining.run.EpochOutcome;
import org.mixtraining.run.LocalBackend;
import org.mixtraining.run.RunState;
import org.mixtraining.run.TrainingData;
import org.mixtraining.run.TrainingLoop;
import org.mixtraining.run.WorkerShare;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.schedule.MixSchedule;
import org.mixtraining.schedule.Objective;
import org.mixtraining.schedule.Rounds;
import org.mixtraining.train.EpochMetrics;
import org.mixtraining.train.Evaluation;
import org.mixtraining.train.NonFiniteLossException;
import org.mixtraining.train.OneThread;
import org.mixtraining.train.Prediction;
import org.mixtraining.train.Predictor;
import org.mixtraining.train.Scores;
import org.mixtraining.vit.Replica;
import org.mixtraining.vit.layers.Compute;
import org.mixtraining.vit.state.ModelState;
import org.mixtraining.vit.state.ModelState.Block;

@ExtendWith(OneThread.class)
class SparkBackendTest {
  private static final Map<JobConfig, Trained> KNOWN = new HashMap<>();

  @TempDir static Path directory;
  private static SparkSession session;
  private static JavaSparkContext spark;

  @BeforeAll
  static void prepare() {
    session =
        SparkSession.builder()
            .master("local[2, 2]") // two slots, and a task may fail once
            .config("spark.ui.enabled", false)
            .config("spark.sql.shuffle.partitions", 1)
            .config("spark.sql.codegen.wholeStage", false)
            .config("spark.sql.codegen.factoryMode", "NO_CODEGEN")
            .getOrCreate();
    session.sparkContext().setLogLevel("OFF");
    spark = JavaSparkContext.fromSparkContext(session.sparkContext());
    Prepare.run(session, config().data(), Prepare.Existing.REFUSE, line -> {});
  }

  @AfterAll
  static void stop() {
    session.stop();
  }

  private static JobConfig config(String... overrides) {
    return SmallRun.config(directory.resolve("images"), overrides);
  }

  /** A whole run: its epochs in order, and where it ended. */
  private record Trained(ModelState initial, List<EpochOutcome> epochs) {
    ModelState state() {
      return epochs.get(epochs.size() - 1).model();
    }
  }

  private static Trained train(JobConfig config) {
    try (var run = new SparkRun(spark, config)) {
      var epochs = new ArrayList<EpochOutcome>();
      RunState initial = run.initialState();
      RunState last = run.train(initial, epochs::add);
      assertThat(last).isSameAs(epochs.get(epochs.size() - 1).state());
      return new Trained(initial.model(), epochs);
    }
  }

  /** The run of a configuration, trained once for all tests that look at it. */
  private static Trained trained(JobConfig config) {
    Trained known = KNOWN.get(config);
    if (known == null) {
      known = train(config);
      KNOWN.put(config, known);
    }
    return known;
  }

  @Test
  void aRunGoesOnFromAnyEpochWithTheSameBits() {
    Trained whole = trained(config());
    try (var run = new SparkRun(spark, config())) {
      for (EpochOutcome before : whole.epochs()) {
        var rest = new ArrayList<EpochOutcome>();
        RunState last = run.train(before.state(), rest::add);

        assertThat(last.epochs()).isEqualTo(whole.epochs().size());
        assertSame(last.model(), whole.state());
        assertThat(rest).hasSize(whole.epochs().size() - before.state().epochs());
      }
    }
  }

  // --- the same bits as without Spark ------------------------------------------------------------

  @Test
  void oneWorkerIsPlainLocalTraining() {
    JobConfig config = config("workers.count=1");
    SmallRun local = SmallRun.of(config);

    Trained trained = trained(config);

    assertThat(trained.epochs)
        .extracting(epoch -> epoch.plan().objective())
        .containsExactly(Objective.SSL, Objective.JOINT, Objective.SL);
    ModelState state = trained.initial;
    for (EpochOutcome epoch : trained.epochs) {
      ModelState fresh = SmallRun.fresh(state, blocks(epoch.plan()));
      SmallRun.Local expected = local.epoch(epoch.plan(), fresh, 0, 1, 2, 3);
      state = expected.state();
      assertSame(epoch.model(), state);
      assertThat(untimed(epoch.metrics())).isEqualTo(untimed(expected.metrics()));
      assertThat(epoch.metrics().images()).isEqualTo(local.manifest().images(Split.TRAIN));
    }
    assertThat(state.blocks().values())
        .extracting(Block::steps)
        .as("of SL, JOINT, SL")
        .containsOnly(7L);
  }

  /** Of SSL, SL, SSL and SL epochs: the encoder's moments, which both train, change each time. */
  @Test
  void alternatingObjectivesGoOnWithTheirOwnMoments() {
    JobConfig config =
        config(
            "workers.count=1",
            "mix={mode = alternate, ratio = 1}",
            "optimizer.ssl-betas=[0.8, 0.9]");
    SmallRun local = SmallRun.of(config);

    Trained trained = train(config);
    List<EpochOutcome> epochs = trained.epochs;

    Map<Objective, Block> encoders = new HashMap<>();
    ModelState state = trained.initial;
    for (EpochOutcome epoch : epochs) {
      Block encoder = state.block(ModelState.ENCODER);
      Block moments = encoders.get(epoch.plan().objective());
      float[] zeros = new float[encoder.parameters().length];
      Block own =
          moments == null
              ? new Block(encoder.parameters(), zeros, zeros, 0)
              : new Block(encoder.parameters(), moments.m(), moments.v(), moments.steps());
      state = state.with(new ModelState(Map.of(ModelState.ENCODER, own)));
      state = local.epoch(epoch.plan(), state, 0, 1, 2, 3).state();
      encoders.put(epoch.plan().objective(), state.block(ModelState.ENCODER));
      assertSame(epoch.model(), state);
    }
    assertThat(epochs)
        .extracting(epoch -> epoch.model().block(ModelState.ENCODER).steps())
        .containsExactly(7L, 7L, 14L, 14L);
    assertThat(epochs)
        .extracting(epoch -> epoch.state().resting().keySet())
        .as("only what an epoch to come takes up again")
        .containsExactly(Set.of(), Set.of(Objective.SSL), Set.of(Objective.SL), Set.of());
    assertThat(epochs.get(1).state().resting().get(Objective.SSL).bytes())
        .isEqualTo(2 * 4L * state.block(ModelState.ENCODER).parameters().length);

    try (var run = new SparkRun(spark, config)) {
      for (EpochOutcome before : epochs) {
        assertSame(run.train(before.state(), epoch -> {}).model(), state);
      }
    }
  }

  @Test
  void threeWorkersWithUnevenShardsAreTheirWeightedAverage() {
    JobConfig config = config("workers.count=3", "epochs={ssl = 2, sl = 1}", "mix.ratio=1");
    SmallRun local = SmallRun.of(config);

    Trained trained = train(config);

    assertThat(trained.epochs)
        .extracting(epoch -> epoch.plan().objective())
        .containsExactly(Objective.SSL, Objective.JOINT);
    ModelState state = trained.initial;
    for (EpochOutcome epoch : trained.epochs) {
      state = SmallRun.fresh(state, blocks(epoch.plan()));
      List<SmallRun.Local> workers =
          List.of(
              local.epoch(epoch.plan(), state, 0, 3),
              local.epoch(epoch.plan(), state, 1),
              local.epoch(epoch.plan(), state, 2));
      state = state.with(average(workers, state.only(blocks(epoch.plan())), epoch.plan()));
      assertSame(epoch.model(), state);
      assertThat(epoch.workers())
          .extracting(share -> untimed(share.metrics()))
          .isEqualTo(workers.stream().map(worker -> untimed(worker.metrics())).toList());
    }
    List<WorkerShare> shares = trained.epochs.get(0).workers();
    assertThat(shares.get(0).metrics().images())
        .isGreaterThan(shares.get(1).metrics().images() * 3 / 2);
    assertThat(shares).extracting(WorkerShare::worker).containsExactly(0, 1, 2);
    assertThat(shares.stream().mapToDouble(WorkerShare::weight).sum()).isCloseTo(1, within(1e-12));
  }

  /** 110 images in batches of 16 are 7 steps; two workers of uneven shards take all of them. */
  @Test
  void anEpochOfSeveralRoundsIsAveragedAfterEach() {
    JobConfig config =
        config("pipeline=sl", "epochs.sl=1", "averaging.rounds=3", "optimizer.warmup=1");
    SmallRun local = SmallRun.of(config);

    Trained trained = train(config);

    EpochOutcome epoch = trained.epochs.get(0);
    assertThat(epoch.rounds().steps()).isEqualTo(7);
    List<String> blocks = blocks(epoch.plan());
    ModelState state = trained.initial;
    for (Rounds.Round round :
        List.of(new Rounds.Round(0, 0, 2), new Rounds.Round(1, 2, 4), new Rounds.Round(2, 4, 7))) {
      List<SmallRun.Local> workers =
          List.of(
              local.round(epoch.plan(), round, state, 0, 2),
              local.round(epoch.plan(), round, state, 1, 3));
      state = state.with(average(workers, state.only(blocks), epoch.plan()));
    }
    assertSame(epoch.model(), state);
    assertThat(epoch.workers())
        .extracting(share -> share.metrics().steps())
        .containsExactly(7L, 7L);
    assertThat(epoch.metrics().images()).isEqualTo(110);
  }

  private static List<String> blocks(EpochPlan plan) {
    return switch (plan.objective()) {
      case SSL -> List.of(ModelState.ENCODER, ModelState.DECODER);
      case JOINT -> List.of(ModelState.ENCODER, ModelState.DECODER, ModelState.HEAD);
      case SL -> List.of(ModelState.ENCODER, ModelState.HEAD);
    };
  }

  /**
   * By hand: the mean weighted by images, in double precision, in the order of the workers; without
   * the noise of small batches in the second moments.
   */
  private static ModelState average(
      List<SmallRun.Local> workers, ModelState before, EpochPlan plan) {
    double beta1 = 0.9;
    double beta2 = plan.objective() == Objective.SSL ? 0.95 : 0.999;
    double images = workers.stream().mapToLong(worker -> worker.metrics().images()).sum();
    Map<String, Block> average = new HashMap<>();
    before
        .blocks()
        .forEach(
            (name, block) -> {
              int size = block.parameters().length;
              double[][] sums = new double[4][size];
              double steps = 0;
              for (SmallRun.Local worker : workers) {
                double weight = worker.metrics().images() / images;
                Block own = worker.state().block(name);
                steps += weight * own.steps();
                for (int i = 0; i < size; i++) {
                  sums[0][i] += weight * own.parameters()[i];
                  sums[1][i] += weight * own.m()[i];
                  sums[2][i] += weight * own.v()[i];
                  sums[3][i] += weight * ((double) own.m()[i] * own.m()[i]);
                }
              }
              double taken = steps - block.steps();
              double noise =
                  (1 + beta1)
                      * (1 - Math.pow(beta2, taken))
                      / ((1 - beta1) * (1 - Math.pow(beta1, 2 * taken)));
              for (int i = 0; i < size; i++) {
                double variance = Math.max(0, sums[3][i] - sums[1][i] * sums[1][i]);
                double most = sums[2][i] * (1 - 1.0 / workers.size());
                sums[2][i] -= Math.min(noise * variance, most);
              }
              average.put(
                  name,
                  new Block(floats(sums[0]), floats(sums[1]), floats(sums[2]), Math.round(steps)));
            });
    return new ModelState(average);
  }

  private static float[] floats(double[] values) {
    float[] floats = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      floats[i] = (float) values[i];
    }
    return floats;
  }

  @Test
  void oneSeedGivesTheSameBitsAndAnotherSeedOthers() {
    Trained first = trained(config());
    Trained again = train(config());
    Trained other = train(config("run.seed=2"));

    assertSame(again.state(), first.state());
    assertThat(again.state().sha256()).isEqualTo(first.state().sha256());
    assertThat(again.epochs.get(2).scores().test()).isEqualTo(first.epochs.get(2).scores().test());
    assertThat(other.initial.sha256()).isNotEqualTo(first.initial.sha256());
    assertThat(other.state().sha256()).isNotEqualTo(first.state().sha256());
  }

  @Test
  void aTaskThatFailsOnceIsRunAgainWithTheSameBits() {
    spark.hadoopConfiguration().set("fs.flaky.impl", OpensFailingOnce.class.getName());
    OpensFailingOnce.FAILED.set(false);

    Trained smooth = trained(config());
    Trained flaky = train(config("data.path=flaky://" + directory.resolve("images")));

    assertThat(flaky.epochs.get(0).workers())
        .extracting(share -> share.task().attempt())
        .containsExactly(0, 1);
    assertSame(flaky.state(), smooth.state());
  }

  @Test
  void aShuffleOfSlicesGivesTheBitsOfTheDriver() throws Exception {
    var tasks = new Tasks();
    spark.sc().addSparkListener(tasks);
    Trained shuffled = train(config("workers.count=3", "averaging.exchange=shuffle"));
    spark.sc().listenerBus().waitUntilEmpty();
    spark.sc().removeSparkListener(tasks);

    Trained onDriver = trained(config("workers.count=3", "averaging.exchange=driver"));
    assertSame(shuffled.state(), onDriver.state());
    for (int epoch = 0; epoch < 3; epoch++) {
      EpochOutcome a = shuffled.epochs.get(epoch);
      EpochOutcome b = onDriver.epochs.get(epoch);
      assertThat(untimed(a.metrics())).isEqualTo(untimed(b.metrics()));
      assertThat(a.workers())
          .extracting(WorkerShare::weight)
          .isEqualTo(b.workers().stream().map(WorkerShare::weight).toList());
    }
    assertThat(tasks.shuffledBytes).isGreaterThan(3 * shuffled.state().bytes());
    assertThat(tasks.resultBytes.stream().mapToLong(bytes -> bytes).sum())
        .as("one state an epoch, not one of each worker")
        .isLessThan(3 * shuffled.state().bytes() * 3 / 2);
  }

  // --- rounds ------------------------------------------------------------------------------------

  /** Of the rounds of a run in this process, without Spark. */
  private static List<EpochOutcome> withoutSpark(JobConfig config) {
    TrainingData data = TrainingData.open(spark.hadoopConfiguration(), config);
    List<EpochOutcome> epochs = new ArrayList<>();
    try (var backend = new LocalBackend(data)) {
      new TrainingLoop(
              config, backend.trainer(), backend.evaluator(), epochs::add, System::nanoTime)
          .run(RunState.initial(data.initialModel()));
    }
    return epochs;
  }

  /** With so few labels that workers go without some, and in some rounds all do. */
  @ParameterizedTest
  @CsvSource({"1, 1", "2, 1", "3, 1", "2, 0.1", "3, 0.1"})
  void roundsByBlocksGiveTheBitsOfTheDriverAndOfOneProcess(int workers, double labels)
      throws Exception {
    String[] settings = {
      "workers.count=" + workers, "averaging.rounds=3", "data.label-fraction=" + labels, ""
    };
    List<EpochOutcome> local = withoutSpark(config(with(settings, "driver")));

    var tasks = new Tasks();
    spark.sc().addSparkListener(tasks);
    Trained blocks = train(config(with(settings, "blocks")));
    spark.sc().listenerBus().waitUntilEmpty();
    spark.sc().removeSparkListener(tasks);
    Trained onDriver = train(config(with(settings, "driver")));

    for (int e = 0; e < local.size(); e++) {
      assertSame(blocks.epochs.get(e).model(), local.get(e).model());
      assertSame(onDriver.epochs.get(e).model(), local.get(e).model());
      assertThat(untimed(blocks.epochs.get(e).metrics()))
          .isEqualTo(untimed(onDriver.epochs.get(e).metrics()));
    }
    assertThat(tasks.resultBytes).as("reports, no states").allMatch(bytes -> bytes < 20_000);
    assertThat(tasks.shuffledBytes).isZero();
    assertNoBlocksAreLeft();
  }

  private static String[] with(String[] settings, String exchange) {
    String[] all = settings.clone();
    all[all.length - 1] = "averaging.exchange=" + exchange;
    return all;
  }

  @Test
  void aFailedRoundLeavesNoBlocks() throws Exception {
    assertThatThrownBy(
            () ->
                train(
                    config(
                        "averaging={exchange = blocks, rounds = 4}",
                        "optimizer.base-lr=1e30",
                        "optimizer.warmup=0")))
        .isInstanceOf(NonFiniteLossException.class);

    assertNoBlocksAreLeft();
  }

  private static void assertNoBlocksAreLeft() throws InterruptedException {
    long deadline = System.nanoTime() + 10_000_000_000L; // Spark frees them in the background
    while (!SparkRun.blocksOfRdds().isEmpty() && System.nanoTime() < deadline) {
      Thread.sleep(20);
    }
    assertThat(SparkRun.blocksOfRdds()).isEmpty();
    assertThat(spark.getPersistentRDDs()).isEmpty();
  }

  // --- what passes through the driver ------------------------------------------------------------

  @Test
  void onlyStatesAndScoresReachTheDriver() throws Exception {
    var tasks = new Tasks();
    spark.sc().addSparkListener(tasks);
    Trained trained = train(config("epochs={ssl = 1, sl = 1}", "mix.ratio=0"));
    spark.sc().listenerBus().waitUntilEmpty();
    spark.sc().removeSparkListener(tasks);

    List<Long> results = tasks.resultBytes;
    assertThat(results).as("two training stages and an evaluation of two tasks").hasSize(6);
    long ssl = trained.state().only(blocks(trained.epochs.get(0).plan())).bytes();
    long sl = trained.state().only(blocks(trained.epochs.get(1).plan())).bytes();
    for (int worker = 0; worker < 2; worker++) {
      assertThat(results.get(worker)).isBetween(ssl, ssl + ssl / 100 + 10_000);
      assertThat(results.get(2 + worker)).isBetween(sl, sl + sl / 100 + 10_000);
      assertThat(results.get(4 + worker)).isLessThan(10_000);
    }
    assertThat(tasks.shuffledBytes).isZero();
  }

  /** Result sizes of the tasks, in order of their stages. */
  private static final class Tasks extends SparkListener {
    final List<Long> resultBytes = new ArrayList<>();
    long shuffledBytes;
    private final Set<Integer> stages = new HashSet<>();

    @Override
    public void onStageSubmitted(SparkListenerStageSubmitted submitted) {
      stages.add(submitted.stageInfo().stageId());
    }

    @Override
    public void onTaskEnd(SparkListenerTaskEnd end) {
      if (stages.contains(end.stageId())) { // else it is left over from a stage that failed
        resultBytes.add(end.taskMetrics().resultSize());
        shuffledBytes += end.taskMetrics().shuffleWriteMetrics().bytesWritten();
      }
    }
  }

  @Test
  void broadcastStatesAreDestroyed() throws Exception {
    Set<BlockId> before = broadcasts(); // a task that a failed run cancelled may have put one back
    Trained trained = train(config("pipeline=sl", "epochs.sl=4"));

    // Spark's own broadcasts of task binaries go when they are garbage; they hold no state.
    long state = trained.state().only(List.of(ModelState.ENCODER, ModelState.HEAD)).bytes();
    long deadline = System.nanoTime() + 10_000_000_000L; // Spark destroys them in the background
    while (largestBroadcast(before) >= state / 3 && System.nanoTime() < deadline) {
      Thread.sleep(50);
    }
    assertThat(largestBroadcast(before))
        .isLessThan(state / 3); // parameters alone, as for evaluation
    assertThat(spark.getPersistentRDDs()).isEmpty();
  }

  private static Set<BlockId> broadcasts() {
    Set<BlockId> found = new HashSet<>();
    SparkEnv.get()
        .blockManager()
        .getMatchingBlockIds(BlockId::isBroadcast)
        .foreach(id -> found.add(id));
    return found;
  }

  private static long largestBroadcast(Set<BlockId> butFor) {
    long largest = 0;
    for (BlockId id : broadcasts()) {
      var status = SparkEnv.get().blockManager().getStatus(id);
      if (!butFor.contains(id) && status.isDefined()) {
        largest = Math.max(largest, status.get().memSize());
      }
    }
    return largest;
  }

  @Test
  void workersKeepTheirReplicasFromEpochToEpoch() {
    var crews = new ArrayList<Set<Thread>>();
    try (var run =
        new SparkRun(
            spark,
            config("pipeline=sl", "epochs.sl=3", "workers={count = 1, threads-per-worker = 2}"))) {
      run.train(run.initialState(), epoch -> crews.add(kernelThreads()));
    }

    assertThat(crews.get(0)).isNotEmpty();
    assertThat(crews).containsOnly(crews.get(0));
  }

  @Test
  void threadsThatPrepareImagesEndWithTheirTaskAlsoWhenItFails() {
    Set<Thread> before = kernelThreads();

    assertThatThrownBy(
            () ->
                train(
                    config(
                        "optimizer.base-lr=1e30",
                        "optimizer.warmup=0",
                        "workers={count = 1, threads-per-worker = 3}")))
        .isInstanceOf(NonFiniteLossException.class);

    Set<Thread> left = new HashSet<>();
    long deadline = System.nanoTime() + 10_000_000_000L; // a thread that was told to end still runs
    do {
      left.clear();
      left.addAll(kernelThreads());
      left.removeAll(before);
      Thread.onSpinWait();
    } while (left.size() > 2 && System.nanoTime() < deadline);
    assertThat(left).as("those of the replica, which is kept").hasSizeLessThanOrEqualTo(2);
  }

  private static Set<Thread> kernelThreads() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().startsWith("worker-thread-"))
        .collect(toSet());
  }

  // --- evaluation --------------------------------------------------------------------------------

  @Test
  void scoresAreThoseOfALocalEvaluation() {
    JobConfig config = config("workers.count=1");
    SmallRun local = SmallRun.of(config);

    Trained one = trained(config);

    for (EpochOutcome epoch : one.epochs.subList(1, 3)) {
      assertThat(epoch.scores().validation())
          .isEqualTo(score(local, epoch.model(), Split.VALIDATION, 0, 1, 2, 3));
      assertThat(epoch.scores().test())
          .isEqualTo(score(local, epoch.model(), Split.TEST, 0, 1, 2, 3));
      assertThat(epoch.scores().validation().images()).isEqualTo(10);
      assertThat(epoch.scores().test().images()).isEqualTo(40);
    }
  }

  @Test
  void workersScoreEveryImageOnceBetweenThem() {
    JobConfig config = config("workers.count=3", "pipeline=sl", "epochs.sl=1");
    SmallRun local = SmallRun.of(config);

    EpochOutcome epoch = trained(config).epochs.get(0);

    assertThat(epoch.scores().test())
        .isEqualTo(
            score(local, epoch.model(), Split.TEST, 0, 3)
                .plus(score(local, epoch.model(), Split.TEST, 1))
                .plus(score(local, epoch.model(), Split.TEST, 2)));
    assertThat(epoch.scores().test().images()).isEqualTo(40);
  }

  @Test
  void everyTestImageIsPredictedOnceWhateverTheWorkersAndAsItWasScored() {
    JobConfig config = config("workers.count=3", "pipeline=sl", "epochs.sl=1");
    EpochOutcome epoch = trained(config).epochs.get(0);

    List<Prediction> said;
    try (var run = new SparkRun(spark, config)) {
      said = run.predictions(epoch.model()).get(DataConfig.MAIN_TASK);
    }

    assertThat(said).extracting(Prediction::id).hasSize(40).isSorted().doesNotHaveDuplicates();
    long correct = said.stream().filter(p -> p.label() == p.predicted()).count();
    assertThat(correct / 40.0).isEqualTo(epoch.scores().test().accuracy());
    assertThat(said).allMatch(p -> p.probability() > 0.1f && p.probability() <= 1);
  }

  @Test
  void aRunWithoutAHeadPredictsNothing() {
    JobConfig config = config("pipeline=ssl-sl", "epochs={ssl = 1, sl = 0}");
    try (var run = new SparkRun(spark, config)) {
      assertThat(run.predictions(run.initialState().model())).isEmpty();
    }
  }

  private static Scores score(SmallRun local, ModelState state, Split split, int... shards) {
    EpochPlan supervised =
        MixSchedule.of(config("augment.patch-dropout=constant(0)")).epochs().stream()
            .filter(plan -> plan.objective() == Objective.SL)
            .findFirst()
            .orElseThrow();
    Engine engine = Engine.cpu(1, Processor.precision(local.config().workers().precision()));
    try (Compute compute = new Compute(engine);
        Compute.Scope scope = compute.use();
        Replica replica = local.replica(supervised)) {
      replica.loadParameters(state);
      return Scores.of(
          DataConfig.MAIN_TASK,
          Evaluation.run(
              Predictor.of(replica, Device.cpu(1, Precision.FP32)),
              ModelState.HEAD,
              Minibatches.evaluation(
                  local.images(split, shards),
                  local.manifest().normalization(),
                  1,
                  local.config().optimizer().batchSize())));
    }
  }

  @Test
  void selfSupervisedEpochsAreNotScored() {
    EpochOutcome first = trained(config()).epochs.get(0);

    assertThat(first.plan().objective()).isEqualTo(Objective.SSL);
    assertThat(first.scores().validation()).isEqualTo(Scores.NONE);
    assertThat(first.scores().test()).isEqualTo(Scores.NONE);
  }

  @Test
  void withoutValidationImagesOnlyTheTestIsScored() {
    String path = "data.path=" + directory.resolve("no-validation");
    JobConfig config =
        config(path, "data.validation=0", "data.shards=2", "pipeline=sl", "epochs.sl=1");
    Prepare.run(session, config.data(), Prepare.Existing.REFUSE, line -> {});

    EpochOutcome epoch = train(config).epochs.get(0);

    assertThat(epoch.scores().validation()).isEqualTo(Scores.NONE);
    assertThat(epoch.scores().test().images()).isEqualTo(40);
    assertThat(epoch.metrics().images()).isEqualTo(120);
  }

  // --- what a person is told ---------------------------------------------------------------------

  @Test
  void moreWorkersThanShardsAreRefused() {
    assertThatThrownBy(() -> train(config("data.shards=8", "workers.count=5")))
        .isInstanceOf(UserException.class)
        .hasMessage(
            "mixtraining.workers.count = 5: each worker needs a shard of its own, and file:%s has only 4; lower it, or prepare again with a larger mixtraining.data.shards",
            directory.resolve("images"));
  }

  @Test
  void aMissingDatasetIsNamed() {
    Path missing = directory.resolve("missing");

    assertThatThrownBy(() -> train(config("data.path=" + missing)))
        .isInstanceOf(UserException.class)
        .hasMessage(
            "mixtraining.data.path: no prepared dataset at file:%s (file:%s/dataset.json is missing); run the command prepare",
            missing, missing);
  }

  @Test
  void aPatchMustDivideTheImage() {
    assertThatThrownBy(() -> train(config("model.patch=5")))
        .isInstanceOf(UserException.class)
        .hasMessage(
            "mixtraining.model.patch = 5: must divide the image size, which is 32x32 in the prepared dataset");
  }

  @Test
  void runsThatAreTrainedSideBySideNeedTheirMemorySideBySide() {
    TrainingData data = TrainingData.open(spark.hadoopConfiguration(), config());

    assertThatThrownBy(() -> new SparkBackend(spark, data, 1_000_000))
        .isInstanceOf(UserException.class)
        .hasMessageContaining(
            "the driver's memory (MIXTRAINING_DRIVER_MEMORY, spark.driver.memory): an executor that trains %s workers at a time needs about "
                .formatted(spark.defaultParallelism()))
        .hasMessageContaining(" MB of Java heap, and has ");
  }

  /** Spark 3.5 has Kryo 4, which is older than records. */
  @Test
  void kryoIsRefused() {
    var kryo = new SparkConf(false).set("spark.serializer", KryoSerializer.class.getName());

    assertThatThrownBy(() -> Prerequisites.checkSerializer(kryo))
        .isInstanceOf(UserException.class)
        .hasMessage(
            "spark.serializer = org.apache.spark.serializer.KryoSerializer: must be org.apache.spark.serializer.JavaSerializer, the default; Kryo cannot serialize records, which workers send");
  }

  @Test
  void divergenceIsToldAsItIsAndNotAsAFailedStage() {
    assertThatThrownBy(() -> train(config("optimizer.base-lr=1e30", "optimizer.warmup=0")))
        .isInstanceOf(NonFiniteLossException.class)
        .message()
        .matches("the loss became NaN in epoch 1, worker [01], step \\d+; lower .*");
  }

  @Test
  void aShardThatIsGoneIsNamed() throws Exception {
    Path gone = directory.resolve("gone");
    JobConfig config = config("data.path=" + gone);
    copy(directory.resolve("images"), gone);
    Path shard = gone.resolve("images/split=train/shard=2");
    try (var files = Files.list(shard)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }

    assertThatThrownBy(() -> train(config))
        .isInstanceOf(UserException.class)
        .hasMessage(
            "mixtraining.data.path: shard 2 of the train split is missing at file:%s; restore it, or prepare the images again in another mixtraining.data.path",
            shard);
  }

  private static void copy(Path from, Path to) throws Exception {
    try (var files = Files.walk(from)) {
      for (Path file : files.toList()) {
        Files.copy(file, to.resolve(from.relativize(file)));
      }
    }
  }

  private static void assertSame(ModelState actual, ModelState expected) {
    assertThat(actual.blocks().keySet()).isEqualTo(expected.blocks().keySet());
    expected
        .blocks()
        .forEach((name, block) -> assertThat(actual.block(name)).as(name).isEqualTo(block));
  }

  /** Without what a clock says. */
  private static EpochMetrics untimed(EpochMetrics m) {
    return new EpochMetrics(
        m.images(),
        m.labels(),
        m.correct(),
        m.steps(),
        m.loss(),
        m.sslLoss(),
        m.slLoss(),
        m.flops(),
        0,
        0);
  }
}
