package org.mixtraining.results;

import org.mixtraining.data.Split;

/** Accuracy on the images of one class with the parameters after an epoch. */
@TableRow(table = "classes", oneRowPer = "evaluated epoch, split, task and class that has images")
public record ClassRow(
    @Column("the run; partition of the table") String runId,
    @Column("position in the run, from 1") int epoch,
    @Column("the images evaluated") Split split,
    @Column("the task, main if there is only one") String task,
    @Column("class index of the label, from 0") int label,
    @Column("name of the class") String name,
    @Column("images with this label, count") long images,
    @Column("share whose most probable class was the label's, 0 to 1") double accuracy,
    @Column("share whose label was among the five most probable, 0 to 1") double top5Accuracy,
    @Column("cross-entropy in nats, mean over images") double loss)
    implements ResultRow, EpochScoped {

  @Override
  public String part() {
    return EpochScoped.part("classes", epoch);
  }
}
