package org.mixtraining.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.mixtraining.config.MixConfig.MixPass;
import org.mixtraining.config.WorkersConfig.Precision;
import org.mixtraining.data.Minibatches;
import org.mixtraining.kernels.Device;
import org.mixtraining.schedule.Objective;
import org.mixtraining.vit.Replica;

@ExtendWith(OneThread.class)
class PredictionTest {

  @Test
  void theMostProbableClassIsPredictedAndOfEqualOnesTheFirst() {
    float[] probabilities = {
      0.5f, 0.25f, 0.25f,
      0.25f, 0.375f, 0.375f,
      0.125f, 0.125f, 0.75f
    };

    assertThat(Prediction.of(probabilities, new long[] {9, 4, 7}, new int[] {0, 2, 1}))
        .containsExactly(
            new Prediction(9, 0, 0, 0.5f),
            new Prediction(4, 2, 1, 0.375f),
            new Prediction(7, 1, 2, 0.75f));
  }

  @Test
  void predictionsAreWhatIsScored() {
    try (Replica replica = Jobs.replica(Objective.SL, MixPass.VISIBLE)) {
      List<Prediction> said =
          Prediction.of(
              Predictor.of(replica, Device.cpu(1, Precision.FP32)),
              "head",
              Minibatches.evaluation(Jobs.images(7), Jobs.NORMALIZATION, 1, 3));
      Score score =
          Evaluation.run(
              Predictor.of(replica, Device.cpu(1, Precision.FP32)),
              "head",
              Minibatches.evaluation(Jobs.images(7), Jobs.NORMALIZATION, 1, 3));

      assertThat(said).hasSize(7);
      assertThat(said.stream().filter(p -> p.label() == p.predicted()).count() / 7.0)
          .isEqualTo(score.accuracy());
    }
  }
}
