package org.mixtraining.run;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.mixtraining.config.JobConfig;
import org.mixtraining.data.Split;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.schedule.Rounds;
import org.mixtraining.train.EpochMetrics;
import org.mixtraining.train.Prediction;
import org.mixtraining.train.Score;
import org.mixtraining.train.Scores;
import org.mixtraining.vit.state.ModelState;
import org.mixtraining.vit.state.ModelState.Block;

/** The loop with a trainer that adds 1 to every parameter, and accuracies that are given. */
class TrainingLoopTest {
  private final List<String> log = new ArrayList<>();

  private static JobConfig config(String... overrides) {
    List<String> all = new ArrayList<>(List.of("pipeline=sl", "epochs.sl=6"));
    all.addAll(List.of(overrides));
    return JobConfig.load(Optional.empty(), all);
  }

  private static ModelState model(float value, long steps) {
    float[] zero = {0};
    return new ModelState(Map.of("encoder", new Block(new float[] {value}, zero, zero, steps)));
  }

  private static RunState initial() {
    return RunState.initial(model(0, 0));
  }

  private EpochResult train(EpochPlan plan, RunState state) {
    log.add("train " + plan.epoch());
    Block before = state.model().block("encoder");
    TaskInfo task = new TaskInfo("host", "0", "cpu", 1, 0, 0.75, -1, 0);
    return new EpochResult(
        model(before.parameters()[0] + 1, before.steps() + 1),
        List.of(new WorkerShare(0, EpochMetrics.NONE, task, 1)),
        new Rounds(1, 1, "one is asked for"),
        100,
        ShardAssignment.EQUAL);
  }

  /** Validation accuracies by epoch, in tenths. */
  private Evaluator evaluator(int... correct) {
    return new Evaluator() {
      @Override
      public EpochScores score(EpochPlan plan, ModelState model) {
        log.add("score " + plan.epoch());
        Score score = new Score(List.of(new Score.OfClass(10, correct[plan.epoch()], 10, 1)));
        return new EpochScores(Scores.of("main", score), Scores.NONE, 5, 2);
      }

      @Override
      public SortedMap<String, List<Prediction>> predict(ModelState model, Split split) {
        return new TreeMap<>();
      }
    };
  }

  private List<EpochOutcome> run(JobConfig config, RunState from, int... correct) {
    List<EpochOutcome> outcomes = new ArrayList<>();
    AtomicLong now = new AtomicLong();
    EpochSink tables = epoch -> log.add("tables " + epoch.plan().epoch());
    EpochSink sink =
        tables.and(epoch -> log.add("checkpoint " + epoch.plan().epoch())).and(outcomes::add);
    RunState end =
        new TrainingLoop(
                config, this::train, evaluator(correct), sink, () -> now.addAndGet(1_000_000_000))
            .run(from);
    assertThat(end)
        .isEqualTo(outcomes.isEmpty() ? from : outcomes.get(outcomes.size() - 1).state());
    return outcomes;
  }

  @Test
  void everyEpochIsTrainedScoredAndWrittenBeforeTheNextInTheOrderOfTheSinks() {
    List<EpochOutcome> outcomes = run(config("epochs.sl=2"), initial(), 5, 6);

    assertThat(log)
        .containsExactly(
            "train 0",
            "score 0",
            "tables 0",
            "checkpoint 0",
            "train 1",
            "score 1",
            "tables 1",
            "checkpoint 1");
    assertThat(outcomes).extracting(epoch -> epoch.state().epochs()).containsExactly(1, 2);
    assertThat(outcomes.get(1).model().block("encoder").parameters()).containsExactly(2);
  }

  @Test
  void anOutcomeSaysWhereTheTimeWent() {
    EpochOutcome epoch = run(config("epochs.sl=1"), initial(), 5).get(0);

    assertThat(epoch.seconds()).isEqualTo(2);
    assertThat(epoch.evaluationSeconds()).isEqualTo(1);
    assertThat(epoch.syncSeconds()).isEqualTo(0.25);
    assertThat(epoch.syncBytes()).isEqualTo(100);
    assertThat(epoch.scores().flops()).isEqualTo(5);
  }

  @Test
  void aRunThatIsResumedEndsWhereOneThatWasNeverStoppedDoes() {
    JobConfig config = config("averaging={outer-lr = 0.7, outer-momentum = 0.5}");
    List<EpochOutcome> whole = run(config, initial(), 1, 2, 3, 4, 5, 6);

    for (EpochOutcome before : whole) {
      List<EpochOutcome> rest = run(config, before.state(), 1, 2, 3, 4, 5, 6);
      assertThat(rest).hasSize(6 - before.state().epochs());
      if (!rest.isEmpty()) {
        assertThat(rest.get(rest.size() - 1).state()).isEqualTo(whole.get(5).state());
      }
    }
  }

  @Test
  void itEndsEarlyWhenValidationGetsNoBetter() {
    JobConfig config = config("early-stopping={patience = 2, cooldown = 0}");
    List<EpochOutcome> outcomes = run(config, initial(), 5, 7, 7, 6, 9, 9);

    assertThat(outcomes).hasSize(4);
    assertThat(outcomes.get(3).state().isLast(config)).isTrue();
  }

  @Test
  void scoringEverySecondEpochIsCountedBackFromTheLast() {
    List<EpochOutcome> outcomes = run(config("evaluation.every=2"), initial(), 1, 2, 3, 4, 5, 6);

    assertThat(outcomes)
        .extracting(epoch -> epoch.scores() != EpochScores.NONE)
        .containsExactly(false, true, false, true, false, true);
  }
}
