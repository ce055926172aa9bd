package org.mixtraining.vit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.deeplearning4j.optimize.Solver;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.mixtraining.config.MixConfig.MixPass;
import org.mixtraining.kernels.Engine;
import org.mixtraining.kernels.KernelTimes;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.schedule.Objective;
import org.mixtraining.vit.state.ModelState;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/** What a step finds, and that it finds the same again. */
class StepTest {

  private final ViT vit = ViTFixtures.small();

  @ParameterizedTest
  @CsvSource({
    "SSL, VISIBLE",
    "SL, VISIBLE",
    "JOINT, VISIBLE",
    "JOINT, CORRUPTED",
    "JOINT, TWO_PASS"
  })
  void aScoreWithoutABackwardPassIsTheStepsLoss(Objective objective, MixPass pass) {
    MultiDataSet batch = ViTFixtures.batch(vit, objective, 5);
    try (Replica replica = ViTFixtures.replica(vit, objective, pass)) {
      double first = replica.graph().score(batch);
      StepResult step = ViTFixtures.fit(replica, batch);

      assertThat(first).isEqualTo(step.loss());
      double second = replica.graph().score(batch);
      assertThat(second).isNotEqualTo(first);
      assertThat(ViTFixtures.fit(replica, batch).loss()).isEqualTo(second);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "SSL, VISIBLE",
    "SL, VISIBLE",
    "JOINT, VISIBLE",
    "JOINT, CORRUPTED",
    "JOINT, TWO_PASS"
  })
  void bitsDependNeitherOnThreadsNorOnTheRun(Objective objective, MixPass pass) {
    ModelState expected = afterThreeSteps(objective, pass, 1);

    assertThat(afterThreeSteps(objective, pass, 1)).isEqualTo(expected);
    assertThat(afterThreeSteps(objective, pass, 2)).isEqualTo(expected);
    assertThat(afterThreeSteps(objective, pass, 3)).isEqualTo(expected);
  }

  @Test
  void aStepOfAJointGraphReportsBothLossesUnweighted() {
    MultiDataSet batch = ViTFixtures.batch(vit, Objective.JOINT, 5, 1);
    try (Replica replica = ViTFixtures.replica(vit, Objective.JOINT, MixPass.TWO_PASS)) {
      replica.plan(ViTFixtures.plan(Objective.JOINT, MixPass.TWO_PASS, 0.3, 1e-3), 1);
      StepResult step = ViTFixtures.fit(replica, batch);

      assertThat(step.loss()).isCloseTo(0.3 * step.sslLoss() + 0.7 * step.slLoss(), within(1e-12));
      assertThat(step.labelled()).isEqualTo(4);
    }
  }

  @Test
  void anEpochWithoutLabelsTeachesTheHeadNothing() {
    MultiDataSet batch = ViTFixtures.batch(vit, Objective.JOINT, 3, new int[] {-1, -1, -1});
    try (Replica replica = ViTFixtures.replica(vit, Objective.JOINT, MixPass.VISIBLE)) {
      replica.plan(ViTFixtures.plan(Objective.JOINT, MixPass.VISIBLE, 0.3, 1e-3), 1);
      StepResult step = ViTFixtures.fit(replica, batch);

      assertThat(step.slLoss()).isZero();
      assertThat(step.labelled()).isZero();
      assertThat(step.correct()).isZero();
      assertThat(replica.state().block(ModelState.HEAD).m()).containsOnly(0);
      assertThat(step.loss()).isCloseTo(0.3 * step.sslLoss(), within(1e-12));
    }
  }

  private ModelState afterThreeSteps(Objective objective, MixPass pass, int threads) {
    return ViTFixtures.onThreads(
        threads,
        () -> {
          try (Replica replica = ViTFixtures.replica(vit, objective, pass)) {
            replica.plan(ViTFixtures.plan(objective, pass, 0.3, 1e-3), 3);
            for (int images : new int[] {33, 9, 1}) {
              ViTFixtures.fit(
                  replica,
                  ViTFixtures.batch(vit, objective, images, ViTFixtures.labels(vit, images)));
            }
            return replica.state();
          }
        });
  }

  @Test
  void everyThreadComputesWithTheKernelsOfItsEngine() {
    assertThat(kernelCalls(3)).isEqualTo(kernelCalls(1));
  }

  private long kernelCalls(int threads) {
    KernelTimes times = new KernelTimes();
    return ViTFixtures.with(
        Engine.cpu(threads).timed(times),
        () -> {
          try (Replica replica = ViTFixtures.replica(vit, Objective.JOINT, MixPass.TWO_PASS)) {
            for (int step = 0; step < 3; step++) {
              ViTFixtures.fit(replica, ViTFixtures.batch(vit, Objective.JOINT, 33, step));
            }
            return times.calls();
          }
        });
  }

  @Test
  void theMemoryOrderOfTheImagesDoesNotMatter() {
    MultiDataSet batch = ViTFixtures.batch(vit, Objective.JOINT, 5);
    try (Replica replica = ViTFixtures.replica(vit, Objective.JOINT, MixPass.TWO_PASS)) {
      double score = replica.graph().score(batch);
      for (int i = 0; i < 2; i++) {
        batch.setLabels(i, batch.getLabels(i).dup('f'));
      }
      batch.setFeatures(0, batch.getFeatures(0).dup('f'));

      assertThat(replica.graph().score(batch)).isEqualTo(score);
    }
  }

  @Test
  void aScoreOfAnUntrainedGraphLeavesItsGradientsToTheFirstStep() {
    MultiDataSet batch = ViTFixtures.batch(vit, Objective.JOINT, 5);
    try (Replica asked = ViTFixtures.replica(vit, Objective.JOINT, MixPass.VISIBLE);
        Replica other = ViTFixtures.replica(vit, Objective.JOINT, MixPass.VISIBLE)) {
      asked.graph().score(batch);
      ViTFixtures.fit(asked, batch);
      ViTFixtures.fit(other, batch);

      assertThat(asked.state()).isEqualTo(other.state());
    }
  }

  /** Who subtracts updates on one thread, and takes a graph's gradient for another graph's. */
  @ParameterizedTest
  @EnumSource(Objective.class)
  void aStepIsThatOfDeeplearning4jsOwnSolver(Objective objective) {
    EpochPlan plan = ViTFixtures.plan(objective, MixPass.VISIBLE, 0.3, 1e-3);
    try (Replica ours = ViTFixtures.replica(vit, objective, MixPass.VISIBLE);
        Replica theirs = ViTFixtures.replica(vit, objective, MixPass.VISIBLE)) {
      ours.plan(plan, 2);
      theirs.plan(plan, 2);
      for (int step = 0; step < 2; step++) {
        MultiDataSet batch = ViTFixtures.batch(vit, objective, 5, step);
        ViTFixtures.fit(ours, batch);
        plainStep(theirs, batch);
      }

      assertThat(ours.state()).isEqualTo(theirs.state());
    }
  }

  private void plainStep(Replica replica, MultiDataSet batch) {
    replica.prepare(vit.served().imageSize(), ModelState.HEAD, new long[0]);
    ComputationGraph graph = replica.graph();
    graph.setInputs(batch.getFeatures());
    graph.setLabels(batch.getLabels());
    graph.setLayerMaskArrays(batch.getFeaturesMaskArrays(), null);
    Solver solver = new Solver.Builder().configure(graph.conf()).model(graph).build();
    solver.getOptimizer().setUpdaterComputationGraph(graph.getUpdater());
    solver.optimize(LayerWorkspaceMgr.noWorkspaces());
  }
}
