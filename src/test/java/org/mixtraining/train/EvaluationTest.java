package org.mixtraining.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.mixtraining.config.JobConfig.MixPass;
import org.mixtraining.data.Minibatch;
import org.mixtraining.data.Minibatches;
import org.mixtraining.schedule.Objective;
import org.mixtraining.vit.Replica;

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
    assertThat(score.correct()).isEqualTo(1);
    assertThat(score.lossSum())
        .isCloseTo(-Math.log(0.7) - Math.log(0.3) - Math.log(0.4), within(1e-6));
    assertThat(score.accuracy()).isCloseTo(1.0 / 3, within(1e-12));
    assertThat(score.loss()).isCloseTo(score.lossSum() / 3, within(1e-12));
  }

  @Test
  void aLabelOfProbabilityZeroCostsMuchButNotInfinitelyMuch() {
    assertThat(Evaluation.score(new float[] {1, 0}, new int[] {1}).lossSum())
        .isCloseTo(-Math.log(Float.MIN_NORMAL), within(1e-6));
  }

  @Test
  void scoresOfPartsAddUp() {
    assertThat(new Score(3, 1, 2.5).plus(new Score(2, 2, 0.5))).isEqualTo(new Score(5, 3, 3));
    assertThat(Score.NONE.plus(new Score(2, 2, 0.5))).isEqualTo(new Score(2, 2, 0.5));
    assertThat(Score.NONE.accuracy()).isNaN();
    assertThat(Score.NONE.loss()).isNaN();
  }

  @Test
  void everyImageIsPredictedWhateverTheMinibatches() {
    try (Replica replica = Jobs.replica(Objective.SL, MixPass.VISIBLE)) {
      Minibatch all = Minibatches.evaluation(Jobs.images(7), Jobs.NORMALIZATION, 7).next();
      Score expected = Evaluation.score(replica.predict(all.pixels(), 7), all.labels());

      Score score =
          Evaluation.run(replica, Minibatches.evaluation(Jobs.images(7), Jobs.NORMALIZATION, 3));

      assertThat(score.images()).isEqualTo(7);
      assertThat(score.correct()).isEqualTo(expected.correct());
      assertThat(score.lossSum()).isCloseTo(expected.lossSum(), within(1e-5));
      assertThat(Evaluation.run(replica, List.<Minibatch>of().iterator())).isEqualTo(Score.NONE);
    }
  }
}
