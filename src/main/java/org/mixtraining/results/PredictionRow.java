package org.mixtraining.results;

import org.mixtraining.config.KebabCase;
import org.mixtraining.data.Split;

/** Prediction of a held-out image by the model that a run ends with. */
@TableRow(table = "predictions", oneRowPer = "test image of a finished run, and task")
public record PredictionRow(
    @Column("the run; partition of the table") String runId,
    @Column("the images predicted") Split split,
    @Column("image id in the dataset, as in its shards") long id,
    @Column("the task, main if there is only one") String task,
    @Column("class index of the label, from 0") int label,
    @Column("name of the label's class") String labelName,
    @Column("the most probable class, index from 0") int predicted,
    @Column("name of the most probable class") String predictedName,
    @Column("probability of the most probable class, 0 to 1") double probability,
    @Column("the run's model: best on validation, or final where there are no validation images")
        String model,
    @Column("epochs of the run behind that model, count") int epoch)
    implements ResultRow {

  @Override
  public String part() {
    return "predictions-" + KebabCase.of(split);
  }
}
