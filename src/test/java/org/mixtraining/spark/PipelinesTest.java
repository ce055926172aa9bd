package org.mixtraining.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.withinPercentage;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.mixtraining.config.DataConfig;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.UserException;
import org.mixtraining.data.ImageSet;
import org.mixtraining.data.Minibatches;
import org.mixtraining.data.PreparedDataset;
import org.mixtraining.data.Share;
import org.mixtraining.data.Split;
import org.mixtraining.data.prepare.Prepare;
import org.mixtraining.kernels.WorkerThreads;
import org.mixtraining.run.EpochOutcome;
import org.mixtraining.run.OuterStep;
import org.mixtraining.run.RunState;
import org.mixtraining.run.ShardAssignment;
import org.mixtraining.run.TrainingData;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.schedule.MixSchedule;
import org.mixtraining.schedule.Objective;
import org.mixtraining.schedule.Phase;
import org.mixtraining.schedule.Rounds;
import org.mixtraining.train.TaskBatches;
import org.mixtraining.train.TrainingBatch;
import org.mixtraining.train.TrainingBatch.Prepared;
import org.mixtraining.train.TrainingBatch.Raw;
import org.mixtraining.vit.state.ModelState;

/** Every variant of a pipeline, from its first epoch to its last. */
class PipelinesTest {

  @TempDir static Path directory;
  private static SparkSession session;
  private static JavaSparkContext spark;

  @BeforeAll
  static void prepare() {
    session =
        SparkSession.builder()
            .master("local[2]")
            .config("spark.ui.enabled", false)
            .config("spark.sql.shuffle.partitions", 1)
            .config("spark.sql.codegen.wholeStage", false)
            .config("spark.sql.codegen.factoryMode", "NO_CODEGEN")
            .getOrCreate();
    session.sparkContext().setLogLevel("OFF");
    spark = JavaSparkContext.fromSparkContext(session.sparkContext());
    for (JobConfig config : List.of(config(), config(other(), "data.seed=7"))) {
      Prepare.run(session, config.data(), Prepare.Existing.REFUSE, line -> {});
    }
  }

  @AfterAll
  static void stop() {
    session.stop();
  }

  private static JobConfig config(String... overrides) {
    return SmallRun.config(directory.resolve("images"), overrides);
  }

  private static String other() {
    return "data.path=" + directory.resolve("other");
  }

  private static String ssl() {
    return "data.ssl=" + directory.resolve("other");
  }

  private record Trained(ModelState initial, List<EpochOutcome> epochs) {
    ModelState state() {
      return epochs.get(epochs.size() - 1).model();
    }
  }

  /** The whole epoch as one round. */
  private static final Rounds.Round ALL = new Rounds.Round(0, 0, Integer.MAX_VALUE);

  private static Iterator<TrainingBatch> batches(TrainingData data, EpochPlan plan, int worker) {
    return data.batches(
        plan, ALL, ShardAssignment.EQUAL, worker, TrainingData.Steps.ON_CPU, new WorkerThreads(1));
  }

  private static Trained train(JobConfig config) {
    try (var run = new SparkRun(spark, config)) {
      var epochs = new ArrayList<EpochOutcome>();
      RunState initial = run.initialState();
      run.train(initial, epochs::add);
      return new Trained(initial.model(), epochs);
    }
  }

  // --- all of them -------------------------------------------------------------------------------

  @ParameterizedTest
  @ValueSource(
      strings = {
        "pipeline=sl",
        "pipeline=ssat",
        "mix.mode=alternate",
        "mix.pass=two-pass",
        "mix.pass=corrupted",
        "mix.mask-ratio=linear(0.75->0)",
        "mix.pass=corrupted mix.mask-ratio=cosine(0.75->0.1)",
        "optimizer.clip=0.5 optimizer.accumulate=3 optimizer.layer-decay=0.7",
        "averaging.outer-momentum=0.5 averaging.outer-lr=0.8",
        "data.reshuffle=true",
        "model.drop-path=0.3",
        "data.label-fraction=0.5 mix.mask-ratio=constant(0.5)",
        "data.label-fraction=0.2 workers.count=2",
      })
  void everyVariantTrainsWhatItsEpochsSay(String overrides) {
    JobConfig config = config(overrides.split(" "));

    Trained trained = train(config);

    ModelState before = trained.initial;
    for (EpochOutcome epoch : trained.epochs) {
      for (String block : before.blocks().keySet()) {
        boolean moved = !epoch.model().block(block).equals(before.block(block));
        assertThat(moved).as("%s in %s", block, epoch.plan()).isEqualTo(trains(epoch, block));
      }
      assertThat(epoch.metrics().loss()).isFinite();
      assertThat(epoch.metrics().flops()).isPositive();
      before = epoch.model();
    }
    EpochOutcome last = trained.epochs.get(trained.epochs.size() - 1);
    assertThat(last.plan().epoch() + 1).isEqualTo(last.plan().epochs());
    assertThat(last.scores().test().images()).isEqualTo(40);
  }

  private static boolean trains(EpochOutcome epoch, String block) {
    return switch (block) {
      case ModelState.ENCODER -> true;
      case ModelState.DECODER -> epoch.plan().objective() != Objective.SL;
      case ModelState.HEAD -> epoch.plan().objective() != Objective.SSL;
      default -> epoch.plan().objective() == Objective.JOINT;
    };
  }

  @Test
  void onlyARunThatUsesAMaskTokenHasOne() {
    assertThat(initial("mix.pass=corrupted").blocks())
        .containsOnlyKeys("encoder", "decoder", "head", "mask-token");
    assertThat(initial("mix.pass=corrupted", "pipeline=ssl-sl")).isEqualTo(initial());
    assertThat(initial("mix.pass=corrupted", "mix.ratio=0")).isEqualTo(initial());
    assertThat(initial("mix.pass=corrupted").only(initial().blocks().keySet()))
        .isEqualTo(initial());
  }

  private static ModelState initial(String... overrides) {
    try (var run = new SparkRun(spark, config(overrides))) {
      return run.initialState().model();
    }
  }

  /** Of 64 patches, as 4 pixels of 32 make them. */
  @ParameterizedTest
  @CsvSource({
    "vit-nano, 0.05",
    "vit-nano, 0.1",
    "vit-nano, 0.25",
    "vit-nano, 0.5",
    "vit-nano, 0.9",
    "vit-nano, 1",
    "vit-micro, 0.1",
    "vit-micro, 0.9",
    "vit-tiny, 0.1",
    "vit-tiny, 0.9"
  })
  void mergedEpochsCostLessThanThoseThatTheyReplace(String preset, double labels) {
    String model = "model={preset = %s, patch = 4, decoder = {depth = null}}".formatted(preset);
    String few = "data.label-fraction=" + labels;
    String epochs = "epochs={ssl = 5, sl = 5}";
    JobConfig config = config(model, few, epochs);
    TrainingData data = TrainingData.open(spark.hadoopConfiguration(), config);
    double ssl = flops(data, Objective.SSL);
    JobConfig apart = config(model, few, epochs, "pipeline=ssl-sl");
    double sl = flops(TrainingData.open(spark.hadoopConfiguration(), apart), Objective.SL);
    List<EpochPlan> mix =
        MixSchedule.of(config).epochs().stream().filter(plan -> plan.phase() == Phase.MIX).toList();
    long merged = mix.stream().filter(plan -> plan.objective() == Objective.JOINT).count();
    assertThat(mix.stream().mapToDouble(plan -> PlannedWork.flops(data, plan)).sum())
        .isLessThan(merged * (ssl + sl));
  }

  private static double flops(TrainingData data, Objective objective) {
    return MixSchedule.of(data.config()).epochs().stream()
        .filter(plan -> plan.objective() == objective)
        .mapToDouble(plan -> PlannedWork.flops(data, plan))
        .findFirst()
        .orElseThrow();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "workers.count=1",
        "workers.count=2",
        "data.reshuffle=true",
        "data.fraction=0.7",
        "mix.unlabelled-fraction=constant(0)",
        "mix.unlabelled-fraction=linear(0.3->1)"
      })
  void whatFewLabelsCostIsWhatWasPlanned(String overrides) {
    JobConfig config =
        config(
            "data.label-fraction=0.2",
            "epochs={ssl = 3, sl = 3}",
            "mix.ratio=1",
            "mix.label-passes=2",
            overrides);
    TrainingData data = TrainingData.open(spark.hadoopConfiguration(), config);

    for (EpochOutcome epoch : train(config).epochs) {
      assertThat(epoch.metrics().flops())
          .as("%s", epoch.plan())
          .isCloseTo(PlannedWork.flops(data, epoch.plan()), withinPercentage(1e-6));
      assertThat(epoch.metrics().images())
          .isEqualTo(data.images(data.labelled().get(0), epoch.plan()));
    }
  }

  // --- what makes a comparison of them fair ------------------------------------------------------

  @ParameterizedTest
  @ValueSource(strings = {"pipeline=sl", "pipeline=ssl-sl", "pipeline=ssat"})
  void thePipelinesOfASeedBeginWithTheSameWeights(String pipeline) {
    ModelState mix = initial("pipeline=mix");

    List<String> blocks = List.of(ModelState.ENCODER, ModelState.DECODER, ModelState.HEAD);
    assertThat(initial(pipeline).only(blocks)).isEqualTo(mix.only(blocks));
    assertThat(initial(pipeline, "run.seed=2").block("encoder")).isNotEqualTo(mix.block("encoder"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"pipeline=ssl-sl", "pipeline=mix", "mix.mode=alternate", "mix.pass=two-pass"})
  void thePipelinesGiveEachObjectiveTheSameImages(String pipeline) {
    JobConfig config = config("epochs={ssl = 2, sl = 2}", "mix.ratio=0.5", pipeline);
    long all = SmallRun.of(config).manifest().images(Split.TRAIN);

    Trained trained = train(config);

    assertThat(images(trained, Objective.SSL)).isEqualTo(2 * all);
    assertThat(images(trained, Objective.SL)).isEqualTo(2 * all);
    assertThat(trained.epochs)
        .last()
        .satisfies(e -> assertThat(e.scores().test().images()).isEqualTo(40));
  }

  private static long images(Trained trained, Objective objective) {
    return trained.epochs.stream()
        .filter(e -> e.plan().objective() == objective || e.plan().objective() == Objective.JOINT)
        .mapToLong(e -> e.metrics().images())
        .sum();
  }

  @Test
  void operationsFollowTheMaskRatio() {
    Trained trained =
        train(config("mix.mask-ratio=linear(0.75->0)", "epochs={ssl = 3, sl = 3}", "mix.ratio=1"));

    List<Double> perImage =
        trained.epochs.stream().map(e -> e.metrics().flops() / e.metrics().images()).toList();
    assertThat(perImage).hasSize(3).isSorted().doesNotHaveDuplicates();
  }

  // --- two datasets ------------------------------------------------------------------------------

  @Test
  void aSecondDatasetServesTheSslObjectiveAndIsMixedIntoJointEpochs() {
    JobConfig config = config(ssl(), "mix.lambda=0.25");
    SmallRun labelled = SmallRun.of(config);
    SmallRun other = SmallRun.of(config(other()));
    List<EpochPlan> plans = MixSchedule.of(config).epochs();
    TrainingData data = TrainingData.open(spark.hadoopConfiguration(), config);

    assertSame(batches(data, plans.get(0), 1), batches(other, plans.get(0), 1, 3));
    assertSame(batches(data, plans.get(2), 1), batches(labelled, plans.get(2), 1, 3));
    List<TrainingBatch> mixed = list(batches(data, plans.get(1), 1));
    List<TrainingBatch> own = list(batches(labelled, plans.get(1), 1, 3));
    Share shared = Share.all(other.images(Split.TRAIN, 1, 3), other.manifest().normalization());
    float[] partners =
        Minibatches.partners(
                shared,
                config.augment().sl(),
                1,
                plans.get(1).epoch(),
                config.optimizer().batchSize(),
                0)
            .next()
            .pixels();
    for (int i = 0; i < mixed.size(); i++) {
      assertThat(mixed.get(i).targets()).isEqualTo(own.get(i).targets());
      assertThat(((Prepared) mixed.get(i)).mask()).isEqualTo(((Prepared) own.get(i)).mask());
    }
    float[] blended = ((Prepared) own.get(0)).pixels().clone();
    for (int i = 0; i < blended.length; i++) {
      blended[i] = 0.25f * blended[i] + 0.75f * partners[i];
    }
    assertThat(((Prepared) mixed.get(0)).pixels()).isEqualTo(blended);
  }

  private static TaskBatches batches(SmallRun run, EpochPlan plan, int... shards) {
    return run.batches(plan, shards).prepared(0);
  }

  private static List<TrainingBatch> list(Iterator<TrainingBatch> batches) {
    List<TrainingBatch> list = new ArrayList<>();
    batches.forEachRemaining(list::add);
    return list;
  }

  private static void assertSame(Iterator<TrainingBatch> actual, Iterator<TrainingBatch> expected) {
    assertThat(list(actual)).usingRecursiveComparison().isEqualTo(list(expected));
  }

  @Test
  void aRunOnTwoDatasetsTrains() {
    Trained trained = train(config(ssl(), "data.fraction=0.5"));

    assertThat(trained.epochs)
        .extracting(e -> e.metrics().images())
        .containsExactly(110L, 50L, 50L);
  }

  @Test
  void aSecondDatasetThatIsMissingIsNamedByItsKey() {
    assertThatThrownBy(() -> train(config("data.ssl=" + directory.resolve("nowhere"))))
        .isInstanceOf(UserException.class)
        .hasMessageStartingWith("mixtraining.data.ssl: no prepared dataset at file:");
  }

  // --- averaging ---------------------------------------------------------------------------------

  @Test
  void momentumCarriesTheModelOnFromWhereTheAverageLies() {
    JobConfig config =
        config("averaging.outer-momentum=0.5", "pipeline=sl", "epochs.sl=2", "workers.count=1");
    SmallRun local = SmallRun.of(config);

    Trained trained = train(config);

    ModelState state = trained.initial;
    ModelState velocity = new ModelState(Map.of());
    for (EpochOutcome epoch : trained.epochs) {
      ModelState average =
          local
              .epoch(epoch.plan(), state, 0, 1, 2, 3)
              .state()
              .only(List.of(ModelState.ENCODER, ModelState.HEAD));
      OuterStep step = OuterStep.of(config.averaging(), state, average, velocity);
      assertThat(epoch.state().model()).isEqualTo(step.model()).isNotEqualTo(state.with(average));
      assertThat(epoch.state().averaging()).isEqualTo(step.velocity());
      state = step.model();
      velocity = step.velocity();
    }
  }

  @Test
  void imagesAreDealtAnewEachEpochAndEachToOneWorker() {
    JobConfig config = config("data.reshuffle=true", "workers.count=3", "pipeline=sl");
    TrainingData data = TrainingData.open(spark.hadoopConfiguration(), config);
    List<EpochPlan> plans = MixSchedule.of(config).epochs();
    ImageSet all = SmallRun.of(config).images(Split.TRAIN, 0, 1, 2, 3);

    for (EpochPlan plan : plans) {
      assertThat(IntStream.range(0, 3).map(w -> images(data, plan, w)))
          .allMatch(images -> Math.abs(images - all.size() / 3) <= 1);
    }
    Trained trained = train(config);
    assertThat(trained.epochs.get(0).metrics().images()).isEqualTo(all.size());
    assertThat(first(data, plans.get(0))).isNotEqualTo(first(data, plans.get(1)));
  }

  private static int images(TrainingData data, EpochPlan plan, int worker) {
    return list(batches(data, plan, worker)).stream().mapToInt(TrainingBatch::images).sum();
  }

  private static long[] first(TrainingData data, EpochPlan plan) {
    return batches(data, plan, 0).next().ids();
  }

  @Test
  void aLoneWorkerNeedsNoDealing() {
    TrainingData dealt =
        TrainingData.open(
            spark.hadoopConfiguration(), config("data.reshuffle=true", "workers.count=1"));
    TrainingData own = TrainingData.open(spark.hadoopConfiguration(), config("workers.count=1"));
    EpochPlan plan = MixSchedule.of(config()).epochs().get(1);

    assertSame(batches(dealt, plan, 0), batches(own, plan, 0));
  }

  // --- images for a device ----------------------------------------------------------------------

  @Test
  void aDeviceGetsTheSameMinibatchesRaw() {
    assertRaw(config("augment.ssl.random-erasing=0.5", "augment.mixup=0.8"));
  }

  @Test
  void soItDoesOfAnotherDatasetForSsl() {
    assertRaw(config(ssl()));
  }

  private static void assertRaw(JobConfig config) {
    TrainingData data = TrainingData.open(spark.hadoopConfiguration(), config);
    for (EpochPlan plan : MixSchedule.of(config).epochs()) {
      List<TrainingBatch> prepared = list(batches(data, plan, 0));
      List<TrainingBatch> raw = list(forDevice(data, plan));
      assertThat(raw).isNotEmpty().hasSameSizeAs(prepared);
      for (int i = 0; i < raw.size(); i++) {
        Raw images = (Raw) raw.get(i);
        assertThat(images.position()).isEqualTo(prepared.get(i).position());
        assertThat(images.ids()).isEqualTo(prepared.get(i).ids());
        assertThat(images.targets()).isEqualTo(prepared.get(i).targets());
        assertThat(images.own().indices()).hasSameSizeAs(images.ids());
        boolean mixed = !config.data().ssl().isEmpty() && plan.objective() == Objective.JOINT;
        assertThat(images.others().isPresent()).isEqualTo(mixed);
      }
    }
  }

  private static Iterator<TrainingBatch> forDevice(TrainingData data, EpochPlan plan) {
    return data.batches(
        plan, ALL, ShardAssignment.EQUAL, 0, TrainingData.Steps.ON_DEVICE, new WorkerThreads(1));
  }

  // --- validation ---

  @Test
  void validationFollowsTheLabelsThatTrainingKnows() {
    String path = "data.path=" + directory.resolve("half");
    String[] half = {path, "data.validation=0.5", "pipeline=sl", "epochs.sl=1"};
    Prepare.run(session, config(half).data(), Prepare.Existing.REFUSE, line -> {});
    PreparedDataset dataset =
        PreparedDataset.open(
            spark.hadoopConfiguration(),
            "data.path",
            directory.resolve("half").toString(),
            2,
            DataConfig.Caching.MEMORY);
    Set<Long> before = Set.of();
    for (double labelled : List.of(0.01, 0.25, 0.5, 1.0)) {
      Set<Long> ids = new TreeSet<>();
      List<Integer> labels = new ArrayList<>();
      for (int part = 0; part < 2; part++) {
        ImageSet images = dataset.heldOut(Split.VALIDATION, part, 2, labelled);
        for (int i = 0; i < images.size(); i++) {
          ids.add(images.id(i));
          labels.add(images.label(i));
        }
      }
      List<Long> wanted = dataset.manifest().heldOut(Split.VALIDATION, labelled);
      for (int label = 0; label < wanted.size(); label++) {
        assertThat(Collections.frequency(labels, label)).isEqualTo(wanted.get(label).intValue());
      }
      assertThat(ids).as("nested").containsAll(before);
      before = ids;
    }

    List<String> few = new ArrayList<>(List.of(half));
    few.add("data.label-fraction=0.25");
    JobConfig config = config(few.toArray(String[]::new));
    EpochOutcome epoch = train(config).epochs().get(0);
    assertThat(epoch.metrics().labelled()).isEqualTo(10);
    assertThat(epoch.scores().validation().images()).isEqualTo(10);
    assertThat(PlannedWork.notes(spark.hadoopConfiguration(), config))
        .containsExactly(
            "the best model is selected on 10 of the 60 validation images of %s: of each class at most as many as it has labelled training images; with so few, an accuracy has a standard error of up to 16 percentage points: compare means over several seeds"
                .formatted(directory.resolve("half")));
    assertThat(PlannedWork.describe(spark.hadoopConfiguration(), config))
        .contains(
            "2 workers should finish no sooner than one: ",
            "to evaluate, after 1 of the epochs",
            "the best model is selected on 10 of the 60");
  }

  // --- early stopping ----------------------------------------------------------------------------

  /** Nothing is learned without a learning rate to speak of, so nothing gets better. */
  @Test
  void aRunEndsWhenItsPatienceIsExhaustedInItsLastPhase() {
    Trained trained =
        train(
            config(
                "optimizer.base-lr=1e-12",
                "epochs={ssl = 2, sl = 7}",
                "mix.ratio=1",
                "early-stopping={patience = 2, cooldown = 0}"));

    assertThat(trained.epochs)
        .extracting(e -> e.plan().phase().name())
        .containsExactly("MIX", "MIX", "SL", "SL", "SL");
    assertThat(trained.epochs)
        .extracting(e -> e.state().patience().waited())
        .containsExactly(0, 0, 0, 1, 2);
    assertThat(trained.epochs.get(0).plan().epochs()).isEqualTo(7);
  }

  @Test
  void aRunThatHasLostItsPatienceCoolsDownAlsoWhenItGoesOn() {
    JobConfig config =
        config(
            "pipeline=sl",
            "optimizer={base-lr = 1e-12, min-lr = 1e-14}",
            "epochs.sl=9",
            "evaluation.every=2",
            "early-stopping={patience = 2, cooldown = 3}");
    Trained trained = train(config);

    assertThat(trained.epochs)
        .extracting(e -> e.scores().validation().images() > 0)
        .as("every second, counted back from what is the last now")
        .containsExactly(true, false, true, true, false, true);
    assertThat(trained.epochs)
        .extracting(e -> e.state().patience().end())
        .containsExactly(0, 0, 3, 3, 3, 3);
    EpochPlan last = trained.epochs.get(5).plan();
    assertThat(last.learningRate(1, 1)).isEqualTo(1e-14);
    assertThat(last.epochs()).isEqualTo(6);
    for (int from = 2; from < 5; from++) {
      RunState reached = trained.epochs.get(from).state();
      try (var run = new SparkRun(spark, config)) {
        RunState end = run.train(reached, outcome -> {});
        assertThat(end.epochs()).isEqualTo(6);
        assertThat(end.model().sha256()).isEqualTo(trained.state().sha256());
      }
    }
  }

  @Test
  void onlyScoredEpochsCostEvaluationAndTheLastIsOneOfThem() {
    Trained trained =
        train(
            config(
                "pipeline=ssl-sl",
                "epochs={ssl = 1, sl = 3}",
                "evaluation.every=2",
                "workers.threads-per-worker=2"));

    assertThat(trained.epochs)
        .extracting(e -> e.scores().validation().images() + " " + e.scores().test().images())
        .containsExactly("0 0", "10 40", "0 0", "10 40");
    double flops = 50 * SmallRun.of(config()).vit().inferenceFlops();
    assertThat(trained.epochs)
        .extracting(e -> e.scores().flops())
        .containsExactly(0.0, flops, 0.0, flops);
    assertThat(trained.epochs)
        .extracting(e -> e.scores().deviceSeconds() > 0)
        .containsExactly(false, true, false, true);
    assertThat(trained.epochs.get(0).workers())
        .as("a device is a core")
        .allMatch(worker -> worker.task().devices() == 2);
  }

  @Test
  void earlyStoppingWithoutValidationImagesIsRefused() {
    String path = "data.path=" + directory.resolve("no-validation");
    JobConfig config =
        config(path, "data.validation=0", "data.shards=2", "early-stopping.patience=1");
    Prepare.run(session, config.data(), Prepare.Existing.REFUSE, line -> {});

    assertThatThrownBy(() -> train(config))
        .isInstanceOf(UserException.class)
        .hasMessage(
            "mixtraining.early-stopping.patience = 1: needs validation images, and file:%s has none; prepare it again with mixtraining.data.validation above 0, or set 0",
            directory.resolve("no-validation"));
  }
}
