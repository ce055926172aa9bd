package org.mixtraining.results;

import java.time.Instant;
import org.mixtraining.config.KebabCase;
import org.mixtraining.data.Split;

/** How well the labels can be told from the features that a run's encoder gives, itself frozen. */
@TableRow(table = "features", oneRowPer = "evaluated model, method, task and split")
public record FeatureRow(
    @Column("the run; partition of the table") String runId,
    @Column("the run's model: best on validation or final") String model,
    @Column("how labels are told from features") Method method,
    @Column("the task, main if there is only one") String task,
    @Column("the images evaluated") Split split,
    @Column("images evaluated, count") long images,
    @Column("labelled training images told from, count") long trainingImages,
    @Column("share of the images whose label was told, 0 to 1") double accuracy,
    @Column("when it was evaluated") Instant evaluatedAt)
    implements ResultRow {

  /** How labels are told from features. */
  public enum Method {
    LINEAR_PROBE,
    K_NN
  }

  @Override
  public String part() {
    return model + "-" + KebabCase.of(method);
  }
}
