package org.mixtraining.results;

import java.time.Instant;
import org.mixtraining.config.KebabCase;
import org.mixtraining.data.Split;

/** Accuracy of classifiers on the features of a run's frozen encoder. */
@TableRow(table = "features", oneRowPer = "evaluated model, method, task and split")
public record FeatureRow(
    @Column("the run; partition of the table") String runId,
    @Column("the run's model: best on validation or final") String model,
    @Column("the classifier on the features") Method method,
    @Column("the task, main if there is only one") String task,
    @Column("the images evaluated") Split split,
    @Column("images evaluated, count") long images,
    @Column("labelled training images that it uses, count") long trainingImages,
    @Column("share of the images classified correctly, 0 to 1") double accuracy,
    @Column("when it was evaluated") Instant evaluatedAt)
    implements ResultRow {

  /** The classifier. */
  public enum Method {
    LINEAR_PROBE,
    K_NN
  }

  @Override
  public String part() {
    return model + "-" + KebabCase.of(method);
  }
}
