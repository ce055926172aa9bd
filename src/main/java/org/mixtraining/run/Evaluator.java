package org.mixtraining.run;

import java.util.List;
import java.util.SortedMap;
import org.mixtraining.data.Split;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.train.Prediction;
import org.mixtraining.vit.state.ModelState;

/** Evaluates models of a run on images that it does not train on. */
public interface Evaluator {

  /** The scores of the model after an epoch, on the validation and the test split. */
  EpochScores score(EpochPlan plan, ModelState model);

  /**
   * Predictions for every image of a split, by task, in order of the images' ids; none in a run
   * that trains no head.
   */
  SortedMap<String, List<Prediction>> predict(ModelState model, Split split);
}
