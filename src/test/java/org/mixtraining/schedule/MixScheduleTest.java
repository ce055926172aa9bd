package org.mixtraining.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mixtraining.config.JobConfig;

class MixScheduleTest {
  @ParameterizedTest(name = "{0} {1}+{2} ratio {3} {4}")
  @CsvSource({
    "mix,    4, 4, 0.5, joint,     SSL SSL MIX/JOINT MIX/JOINT SL SL",
    "mix,    4, 4, 0.5, alternate, SSL SSL MIX/SSL MIX/SL MIX/SSL MIX/SL SL SL",
    "mix,    2, 2, 0,   joint,     SSL SSL SL SL",
    "mix,    3, 3, 1,   joint,     MIX/JOINT MIX/JOINT MIX/JOINT",
    "mix,    1, 3, 1,   joint,     MIX/JOINT SL SL",
    "mix,    3, 1, 1,   joint,     SSL SSL MIX/JOINT",
    "mix,    0, 2, 1,   joint,     SL SL",
    "mix,    2, 0, 1,   joint,     SSL SSL",
    "mix,    3, 3, 0.5, joint,     SSL MIX/JOINT MIX/JOINT SL",
    "ssl-sl, 2, 3, 0.5, joint,     SSL SSL SL SL SL",
    "sl,     2, 3, 0.5, joint,     SL SL SL",
    "ssat,   2, 3, 0.5, joint,     MIX/JOINT MIX/JOINT MIX/JOINT",
  })
  void phasesFollowThePipeline(
      String pipeline, int ssl, int sl, double ratio, String mode, String expected) {
    assertThat(
            phases(
                plan(
                    "pipeline=" + pipeline,
                    "epochs.ssl=" + ssl,
                    "epochs.sl=" + sl,
                    "mix.ratio=" + ratio,
                    "mix.mode=" + mode)))
        .isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource({"5, 0.29, 1", "5, 0.3, 2", "50, 0.29, 15", "10, 0.05, 1", "10, 0.049, 0"})
  void aHalfRoundsUpInDecimal(int epochs, double ratio, long merged) {
    assertThat(
            plan("epochs.ssl=" + epochs, "epochs.sl=" + epochs, "mix.ratio=" + ratio).stream()
                .filter(plan -> plan.phase() == Phase.MIX))
        .hasSize((int) merged);
  }

  @ParameterizedTest
  @CsvSource({
    "mix,    4, 4, joint,     1, 3 4 5 6",
    "mix,    4, 4, joint,     2, 4 6",
    "mix,    4, 4, joint,     9, 6",
    "mix,    4, 4, alternate, 1, 4 6 7 8",
    "mix,    4, 4, alternate, 3, 4 8",
    "ssl-sl, 2, 3, joint,     2, 3 5",
    "ssat,   1, 4, joint,     3, 1 4",
    "ssl-sl, 2, 0, joint,     1, ''",
  })
  void epochsThatTrainAHeadAreScoredAtEvenDistancesFromTheLast(
      String pipeline, int ssl, int sl, String mode, int every, String expected) {
    MixSchedule schedule =
        MixSchedule.of(
            config(
                "pipeline=" + pipeline,
                "epochs.ssl=" + ssl,
                "epochs.sl=" + sl,
                "mix.mode=" + mode));

    assertThat(
            schedule.epochs().stream()
                .filter(plan -> schedule.scores(plan, every))
                .map(plan -> String.valueOf(plan.epoch() + 1))
                .collect(Collectors.joining(" ")))
        .isEqualTo(expected);
  }

  @Test
  void aRunThatHasLostItsPatienceEndsAfterACoolDown() {
    JobConfig config =
        config(
            "pipeline=sl",
            "epochs.sl=100",
            "optimizer={base-lr = 0.004, min-lr = 1e-6, warmup = 5}",
            "early-stopping={patience = 10, cooldown = 4}");
    MixSchedule whole = MixSchedule.of(config);
    MixSchedule ended = whole.endedBy(new Patience(0.5, 10, 30), config);

    assertThat(whole.endedBy(new Patience(0.5, 9, 0), config)).isEqualTo(whole);
    assertThat(ended.epochs()).hasSize(34);
    assertThat(ended.epochs().subList(0, 30)).isEqualTo(whole.epochs().subList(0, 30));
    EpochPlan first = ended.epochs().get(30);
    assertThat(first.learningRate(0, 1)).isEqualTo(whole.epochs().get(30).learningRate(0, 1));
    assertThat(first.learningRate(0, 1)).isGreaterThan(8e-4);
    assertThat(ended.epochs().get(32).learningRate(0, 1))
        .as("half of the way")
        .isCloseTo((first.learningRate(0, 1) + 1e-6) / 2, within(1e-12));
    assertThat(ended.epochs().get(33).learningRate(1, 1)).isEqualTo(1e-6);
    assertThat(ended.epochs().subList(30, 34))
        .allSatisfy(plan -> assertThat(plan.epochs()).isEqualTo(34));
  }

  @Test
  void whereNoMoreEpochsAreLeftThanACoolDownTakesTheScheduleGoesOn() {
    JobConfig config = config("pipeline=sl", "epochs.sl=9", "early-stopping.patience=3");
    MixSchedule whole = MixSchedule.of(config);

    assertThat(config.earlyStopping().cooldown()).as("by default").isEqualTo(3);
    assertThat(whole.endedBy(new Patience(0.5, 3, 6), config)).isEqualTo(whole);
    assertThat(whole.endedBy(new Patience(0.5, 3, 5), config).epochs()).hasSize(8);
  }

  @Test
  void ratioZeroIsTheTwoPhasePipeline() {
    assertThat(plan("mix.ratio=0", "pipeline=mix")).isEqualTo(plan("pipeline=ssl-sl"));
  }

  @Test
  void alphaIsTheScheduleAtTheCentreOfEachMixEpoch() {
    assertThat(alphas("mix.alpha=linear(1->0)")).containsExactly(1, 0.875, 0.625, 0.375, 0.125, 0);
    assertThat(alphas("mix.alpha=constant(0.5)")).containsExactly(1, 0.5, 0.5, 0.5, 0.5, 0);
    double[] cosine = alphas("mix.alpha=cosine(1->0)");
    assertThat(cosine[1]).isCloseTo(0.5 * (1 + Math.cos(Math.PI / 8)), within(1e-15));
    assertThat(cosine[1] + cosine[4]).isCloseTo(1, within(1e-15));
  }

  @Test
  void theMaskRatioOfAMixEpochFollowsItsOwnCurve() {
    assertThat(maskRatios("mix.mask-ratio=linear(0.8->0)"))
        .containsExactly(new double[] {0.6, 0.7, 0.5, 0.3, 0.1, 0.25}, within(1e-12));
    assertThat(maskRatios("mix.mask-ratio=constant(0)")).containsExactly(0.6, 0, 0, 0, 0, 0.25);
    assertThat(maskRatios("mix.pass=corrupted")).containsExactly(0.6, 0.6, 0.6, 0.6, 0.6, 0);
  }

  @Test
  void imagesWithoutALabelKeepTheMaskOfPreTrainingWhileTheVisiblePassGrows() {
    List<EpochPlan> few =
        plan(
            "data.label-fraction=0.1",
            "model.mask-ratio=0.5",
            "mix={mask-ratio = linear(0.5->0), label-passes = 1}",
            "augment.patch-dropout=constant(0)",
            "epochs.ssl=4",
            "epochs.sl=4");
    for (EpochPlan epoch : few) {
      assertThat(epoch.unlabelledApart()).isEqualTo(epoch.objective() == Objective.JOINT);
      assertThat(epoch.maskRatio(true)).isEqualTo(epoch.maskRatio());
      assertThat(epoch.maskRatio(false)).isEqualTo(epoch.objective() == Objective.SL ? 0 : 0.5);
    }
    assertThat(few).extracting(EpochPlan::maskRatio).contains(0.375, 0.125);
    assertThat(plan("data.keep-unlabelled=true"))
        .filteredOn(EpochPlan::unlabelledApart)
        .isNotEmpty()
        .allMatch(epoch -> epoch.maskRatio(true) == 0.75 && epoch.maskRatio(false) == 0.75);
    for (String other : List.of("data.fraction=0.1", "mix.pass=corrupted", "pipeline=ssat")) {
      List<String> all = new ArrayList<>(List.of(other));
      if (!other.startsWith("data")) {
        all.add("data.label-fraction=0.1");
      }
      assertThat(plan(all.toArray(String[]::new))).noneMatch(EpochPlan::unlabelledApart);
    }
  }

  @Test
  void whereFewImagesHaveLabelsAMergedEpochShowsThemMoreOftenAndFewOfTheirPatches() {
    String[] few = {"data.label-fraction=0.1", "epochs={ssl = 4, sl = 4}", "mix.label-passes=3"};
    List<EpochPlan> plan = plan(few);

    assertThat(phases(plan))
        .isEqualTo("SSL SSL MIX/SL MIX/SL MIX/JOINT MIX/SL MIX/SL MIX/JOINT SL SL");
    assertThat(plan)
        .filteredOn(epoch -> epoch.phase() == Phase.MIX && epoch.objective() == Objective.SL)
        .allSatisfy(
            epoch -> {
              assertThat(epoch.maskRatio()).isEqualTo(0.75);
              assertThat(epoch.input()).isEqualTo(EncoderInput.VISIBLE);
              assertThat(epoch.alpha()).isZero();
            });
    MixSchedule schedule = MixSchedule.of(config(few));
    assertThat(schedule.epochs().stream().filter(epoch -> schedule.scores(epoch, 1)))
        .as("scored once a merged epoch")
        .extracting(EpochPlan::epoch)
        .containsExactly(4, 7, 8, 9);
  }

  @ParameterizedTest
  @CsvSource({
    "data.label-fraction=0.1, 8",
    "data.label-fraction=0.15, 7",
    "data.label-fraction=0.25, 6",
    "data.label-fraction=0.25 mix.unlabelled-fraction=constant(1), 5",
    "data.label-fraction=0.25 mix.unlabelled-fraction=constant(0), 8",
    "data.label-fraction=0.1 mix.alpha=constant(1), 5",
    "data.label-fraction=0.9, 5",
    "data.label-fraction=0.9 model.mask-ratio=0.5, 3",
    "data.keep-unlabelled=true, 5",
    "data.keep-unlabelled=true data.label-fraction=0.1, 8",
    "data.fraction=0.1, 1",
    "data.label-fraction=0.1 mix.pass=corrupted, 1",
    "data.label-fraction=0.1 pipeline=ssat, 1",
    "data.label-fraction=0.1 mix.mode=alternate, 1",
    "data.label-fraction=0.1 epochs.ssl=24 epochs.sl=24, 4",
    "data.label-fraction=0.1 epochs.ssl=40 epochs.sl=40, 2",
    "data.label-fraction=0.1 epochs.ssl=99 epochs.sl=99, 1",
    "data.label-fraction=0.1 epochs.ssl=12 epochs.sl=90, 1",
    "data.label-fraction=0.1 epochs.ssl=12 mix.ratio=0, 1",
  })
  void byDefaultLabelsAreShownMoreOftenWhereTheyAreFew(String overrides, int passes) {
    List<EpochPlan> plan = plan(overrides.split(" "));
    long merged =
        overrides.contains("alternate")
            ? plan.stream().filter(p -> p.phase() == Phase.MIX).count() / 2
            : plan.stream().filter(p -> p.objective() == Objective.JOINT).count();
    long onLabelsAlone =
        plan.stream().filter(p -> p.phase() == Phase.MIX && p.objective() == Objective.SL).count();
    assertThat(onLabelsAlone)
        .isEqualTo(overrides.contains("alternate") ? merged : merged * (passes - 1));
  }

  @Test
  void slEpochsAfterAGrowingPassHideFewerAndFewerPatches() {
    assertThat(dropouts()).containsExactly(0.375, 0.125);
    assertThat(dropouts("augment.patch-dropout=constant(0.3)")).containsExactly(0.3, 0.3);
    assertThat(dropouts("pipeline=sl", "augment.patch-dropout=linear(0.4->0)"))
        .containsExactly(new double[] {0.35, 0.25, 0.15, 0.05}, within(1e-12));
    for (String other :
        List.of(
            "pipeline=sl",
            "pipeline=ssl-sl",
            "mix.ratio=0",
            "mix.mode=alternate",
            "mix.pass=two-pass")) {
      assertThat(dropouts(other)).as(other).containsOnly(0);
    }
  }

  /** Of the SL epochs, which see all patches where it is 0. */
  private static double[] dropouts(String... overrides) {
    List<String> all = new ArrayList<>(List.of("epochs.ssl=4", "epochs.sl=4"));
    all.addAll(List.of(overrides));
    List<EpochPlan> supervised =
        plan(all.toArray(String[]::new)).stream()
            .filter(plan -> plan.objective() == Objective.SL)
            .toList();
    assertThat(supervised)
        .allMatch(plan -> (plan.input() == EncoderInput.FULL) == (plan.maskRatio() == 0));
    return supervised.stream().mapToDouble(EpochPlan::maskRatio).toArray();
  }

  private static double[] maskRatios(String... overrides) {
    List<String> all =
        new ArrayList<>(
            List.of("model.mask-ratio=0.6", "epochs.ssl=5", "epochs.sl=5", "mix.ratio=0.8"));
    all.addAll(List.of(overrides));
    return plan(all.toArray(String[]::new)).stream().mapToDouble(EpochPlan::maskRatio).toArray();
  }

  @Test
  void everyEpochClipsAsConfigured() {
    assertThat(plan("optimizer.clip=1.5")).allMatch(plan -> plan.clip() == 1.5);
    assertThat(plan()).allMatch(plan -> plan.clip() == 0);
  }

  @Test
  void ssatTakesTwoPassesWithItsOwnWeight() {
    assertThat(plan("pipeline=ssat"))
        .hasSize(10)
        .allSatisfy(
            plan -> {
              assertThat(plan.input()).isEqualTo(EncoderInput.BOTH);
              assertThat(plan.alpha()).isEqualTo(0.9);
            });
  }

  @Test
  void jointEpochsTakeTheConfiguredPass() {
    assertThat(plan("mix.pass=two-pass"))
        .filteredOn(plan -> plan.objective() == Objective.JOINT)
        .isNotEmpty()
        .allSatisfy(plan -> assertThat(plan.input()).isEqualTo(EncoderInput.BOTH));
  }

  @Test
  void theLearningRateWarmsUpToItsPeakAndEndsAtItsMinimum() {
    List<EpochPlan> plan =
        plan("optimizer.warmup=2", "optimizer.base-lr=0.008", "optimizer.min-lr=1e-5");

    assertThat(plan.get(0).learningRate(0, 10)).isZero();
    assertThat(plan.get(0).learningRate(5, 10)).isCloseTo(0.0005, within(1e-18));
    assertThat(plan.get(2).learningRate(0, 10)).isEqualTo(0.002);
    assertThat(plan.get(plan.size() - 1).learningRate(1, 1)).isCloseTo(1e-5, within(1e-18));
  }

  @Test
  void aWarmUpLongerThanTheRunNeverReachesThePeak() {
    List<EpochPlan> plan = plan("optimizer.warmup=40", "mix.ratio=0");

    assertThat(plan).hasSize(20);
    assertThat(plan.get(19).learningRate(1, 1)).isCloseTo(0.0005, within(1e-18));
  }

  @Test
  void aScheduleOfPhasesWarmsUpAnewInEachOfThem() {
    List<EpochPlan> plan =
        plan(
            "optimizer.schedule=phase",
            "optimizer.warmup=2",
            "optimizer.base-lr=0.008",
            "pipeline=ssl-sl",
            "epochs={ssl = 6, sl = 4}");

    for (int first : new int[] {0, 6}) {
      assertThat(plan.get(first).learningRate(0, 10)).isZero();
      assertThat(plan.get(first + 2).learningRate(0, 10)).isEqualTo(0.002);
    }
    for (int last : new int[] {5, 9}) {
      assertThat(plan.get(last).learningRate(1, 1)).isCloseTo(0, within(1e-18));
    }
    assertThat(plan.get(4).learningRate(0, 1)).as("halfway down").isCloseTo(0.001, within(1e-15));
    assertThat(plan.get(9).learningRate(0, 1)).as("halfway down").isCloseTo(0.001, within(1e-15));
  }

  @Test
  void theLearningRateHasNoJumps() {
    for (EpochPlan plan : plan("optimizer.warmup=1.5")) {
      double end = plan.learningRate(100, 100);
      LearningRate rate = plan.learningRate();
      assertThat(rate.at(plan.epoch() + 1)).isEqualTo(end);
      for (int step = 0; step < 100; step++) {
        double jump = Math.abs(plan.learningRate(step + 1, 100) - plan.learningRate(step, 100));
        assertThat(jump).isLessThan(rate.peak() / 100);
      }
    }
  }

  @Test
  void epochsAreConservedWhateverIsAsked() {
    SplittableRandom random = new SplittableRandom(1);
    for (int trial = 0; trial < 200; trial++) {
      int ssl = random.nextInt(30);
      int sl = 1 + random.nextInt(30);
      boolean joint = random.nextBoolean();
      List<EpochPlan> plan =
          plan(
              "epochs.ssl=" + ssl,
              "epochs.sl=" + sl,
              "mix.ratio=" + random.nextInt(101) / 100.0,
              "mix.mode=" + (joint ? "joint" : "alternate"));

      long merged = plan.stream().filter(p -> p.objective() == Objective.JOINT).count();
      assertThat(plan).hasSize(ssl + sl - (int) merged);
      assertThat(plan).filteredOn(p -> p.objective() != Objective.SL).hasSize(ssl);
      assertThat(plan).filteredOn(p -> p.objective() != Objective.SSL).hasSize(sl);
      assertThat(plan).extracting(EpochPlan::phase).isSorted();
      for (int i = 0; i < plan.size(); i++) {
        EpochPlan epoch = plan.get(i);
        assertThat(epoch.epoch()).isEqualTo(i);
        assertThat(epoch.epochs()).isEqualTo(plan.size());
        assertThat(epoch.alpha()).isBetween(0.0, 1.0);
        assertThat(epoch.learningRate()).isEqualTo(plan.get(0).learningRate());
      }
    }
  }

  @Test
  void thePlanIsPrintedOneLineAnEpoch() {
    assertThat(schedule("epochs.ssl=2", "epochs.sl=2", "mix.ratio=0.5").describe())
        .isEqualTo(
            """
            epoch  phase  objective  pass       lr                    alpha  mask
                1  SSL    SSL        -          0.00e+00 -> 1.00e-03  1.000  0.750
                2  MIX    JOINT      visible    1.00e-03 -> 5.00e-04  0.500  0.375
                3  SL     SL         -          5.00e-04 -> 0.00e+00  0.000  0.250
            total 3, SSL 1, MIX 1, SL 1
            """);
  }

  @Test
  void thePlanTellsTheMaskOfImagesWithoutALabel() {
    assertThat(
            schedule(
                    "epochs={ssl = 1, sl = 1}",
                    "data.label-fraction=0.5",
                    "mix={mask-ratio = linear(0.75->0), label-passes = 1}")
                .describe())
        .contains("0.500  0.375; unlabelled 0.750, 0.500 of them visited\n");
  }

  @Test
  void jointEpochsTakeTurnsAtTheImagesWithoutALabel() {
    String[] few = {"data.label-fraction=0.1", "epochs={ssl = 4, sl = 4}", "mix.ratio=1"};
    assertThat(visited(few))
        .as("as many as the SSL loss weighs")
        .containsExactly(
            new Slice(0, 0.875),
            new Slice(0.875, 0.625),
            new Slice(0.5, 0.375),
            new Slice(0.875, 0.125));
    String[] half = Arrays.copyOf(few, 4);
    half[3] = "mix.unlabelled-fraction=constant(0.5)";
    assertThat(visited(half)).extracting(Slice::from).containsExactly(0.0, 0.5, 0.0, 0.5);
    assertThat(plan("epochs={ssl = 4, sl = 4}"))
        .as("all have a label")
        .allMatch(epoch -> epoch.visitedUnlabelled().equals(Slice.ALL));
  }

  private static List<Slice> visited(String... overrides) {
    return plan(overrides).stream()
        .filter(epoch -> epoch.objective() == Objective.JOINT)
        .map(EpochPlan::visitedUnlabelled)
        .toList();
  }

  private static MixSchedule schedule(String... overrides) {
    return MixSchedule.of(config(overrides));
  }

  private static JobConfig config(String... overrides) {
    return JobConfig.load(Optional.empty(), List.of(overrides));
  }

  private static List<EpochPlan> plan(String... overrides) {
    return schedule(overrides).epochs();
  }

  private static double[] alphas(String alpha) {
    return plan(alpha, "epochs.ssl=5", "epochs.sl=5", "mix.ratio=0.8").stream()
        .mapToDouble(EpochPlan::alpha)
        .toArray();
  }

  private static String phases(List<EpochPlan> plan) {
    return plan.stream()
        .map(p -> p.phase() == Phase.MIX ? "MIX/" + p.objective() : p.phase().name())
        .collect(Collectors.joining(" "));
  }
}
