package org.mixtraining.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.mixtraining.config.MixConfig.MixPass;
import org.mixtraining.config.WorkersConfig.Precision;
import org.mixtraining.data.Minibatch;
import org.mixtraining.data.Minibatches;
import org.mixtraining.kernels.Device;
import org.mixtraining.schedule.Objective;
import org.mixtraining.train.Score.OfClass;
import org.mixtraining.vit.Replica;

@ExtendWith(OneThread.class)
class EvaluationTest {

  @Test
  void aScoreCountsHitsAndSumsTheSurpriseAtTheLabels() {
    float[] probabilities = {
      0.7f, 0.2f, 0.1f, // right
      0.3f, 0.3f, 0.4f, // wrong
      0.1f, 0.5f, 0.4f // wrong
    };

    Score score = Evaluation.score(probabilities, new int[] {0, 1, 2});

    assertThat(score.images()).isEqualTo(3);
    assertThat(score.accuracy()).isCloseTo(1.0 / 3, within(1e-12));
    assertThat(score.topFive()).isEqualTo(1);
    assertThat(score.loss())
        .isCloseTo((-Math.log(0.7) - Math.log(0.3) - Math.log(0.4)) / 3, within(1e-6));
  }

  @Test
  void everyClassIsScoredByItself() {
    float[] probabilities = {0.6f, 0.3f, 0.1f, 0.2f, 0.7f, 0.1f, 0.5f, 0.25f, 0.25f};

    Score score = Evaluation.score(probabilities, new int[] {0, 0, 2});

    assertThat(score.classes()).extracting(OfClass::images).containsExactly(2L, 0L, 1L);
    assertThat(score.classes()).extracting(OfClass::correct).containsExactly(1L, 0L, 0L);
    assertThat(score.classes().get(0).accuracy()).isEqualTo(0.5);
    assertThat(score.classes().get(1).accuracy()).isNaN();
    assertThat(score.classes().get(2).loss()).isCloseTo(-Math.log(0.25), within(1e-12));
  }

  @Test
  void theFifthPlaceIsAmongFiveAndTheSixthIsNot() {
    float[] falling = {0.3f, 0.2f, 0.15f, 0.12f, 0.1f, 0.08f, 0.05f};
    for (int label = 0; label < falling.length; label++) {
      Score score = Evaluation.score(falling, new int[] {label});

      assertThat(score.accuracy()).isEqualTo(label == 0 ? 1 : 0);
      assertThat(score.topFive()).isEqualTo(label < 5 ? 1 : 0);
    }
  }

  @Test
  void ofEqualClassesTheFirstIsFirst() {
    float[] equal = {0.125f, 0.125f, 0.125f, 0.125f, 0.125f, 0.125f, 0.125f, 0.125f};

    assertThat(Evaluation.score(equal, new int[] {0}).accuracy()).isEqualTo(1);
    assertThat(Evaluation.score(equal, new int[] {1}).accuracy()).isZero();
    assertThat(Evaluation.score(equal, new int[] {4}).topFive()).isEqualTo(1);
    assertThat(Evaluation.score(equal, new int[] {5}).topFive()).isZero();
  }

  @Test
  void whatIsNotANumberIsNeverRight() {
    float[] broken = {Float.NaN, Float.NaN, Float.NaN, Float.NaN, Float.NaN, Float.NaN};

    assertThat(Evaluation.score(broken, new int[] {0}).topFive()).isZero();
  }

  @Test
  void aLabelOfProbabilityZeroCostsMuchButNotInfinitelyMuch() {
    assertThat(Evaluation.score(new float[] {1, 0}, new int[] {1}).loss())
        .isCloseTo(-Math.log(Float.MIN_NORMAL), within(1e-6));
  }

  @Test
  void scoresOfPartsAddUp() {
    Score one = new Score(List.of(new OfClass(3, 1, 2, 2.5)));
    Score other = new Score(List.of(new OfClass(2, 2, 2, 0.5), new OfClass(1, 0, 1, 3)));

    assertThat(one.plus(other))
        .isEqualTo(other.plus(one))
        .isEqualTo(new Score(List.of(new OfClass(5, 3, 4, 3), new OfClass(1, 0, 1, 3))));
    assertThat(Score.NONE.plus(other)).isEqualTo(other);
    assertThat(Score.NONE.accuracy()).isNaN();
    assertThat(Score.NONE.topFive()).isNaN();
    assertThat(Score.NONE.loss()).isNaN();
  }

  @Test
  void tasksCountTheSameWhateverTheirNumberOfImages() {
    Scores large = Scores.of("large", new Score(List.of(new OfClass(100, 100, 100, 0))));
    Scores small = Scores.of("small", new Score(List.of(new OfClass(2, 1, 2, 4))));

    Scores both = large.plus(small).plus(Scores.of("empty", Score.NONE));

    assertThat(both.accuracy()).isEqualTo(0.75);
    assertThat(both.topFive()).isEqualTo(1);
    assertThat(both.loss()).isEqualTo(1);
    assertThat(both.images()).isEqualTo(102);
    assertThat(small.plus(small).tasks().get("small").images()).isEqualTo(4);
    assertThat(Scores.NONE.accuracy()).isNaN();
  }

  @Test
  void everyImageIsPredictedWhateverTheMinibatches() {
    try (Replica replica = Jobs.replica(Objective.SL, MixPass.VISIBLE)) {
      Minibatch all = Minibatches.evaluation(Jobs.images(7), Jobs.NORMALIZATION, 1, 7).next();
      Score expected = Evaluation.score(replica.predict(all.pixels(), 7), all.labels());

      Score score =
          Evaluation.run(
              Predictor.of(replica, Device.cpu(1, Precision.FP32)),
              "head",
              Minibatches.evaluation(Jobs.images(7), Jobs.NORMALIZATION, 1, 3));

      assertThat(score.images()).isEqualTo(7);
      assertThat(score.accuracy()).isEqualTo(expected.accuracy());
      assertThat(score.loss()).isCloseTo(expected.loss(), within(1e-5));
      assertThat(
              Evaluation.run(
                  Predictor.of(replica, Device.cpu(1, Precision.FP32)),
                  "head",
                  List.<Minibatch>of().iterator()))
          .isEqualTo(Score.NONE);
    }
  }
}
