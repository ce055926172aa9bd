package org.mixtraining.spark;

import java.io.Serializable;
import org.mixtraining.config.DataConfig;
import org.mixtraining.vit.Head;

/** A task and its images. */
public record LabelledData(DataConfig.Task task, Dataset dataset) implements Serializable {

  /** Its head in the model. */
  Head head() {
    return Head.of(task, dataset.manifest().classCount());
  }
}
