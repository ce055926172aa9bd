package org.mixtraining.run;

import java.io.Serializable;
import org.mixtraining.config.DataConfig;
import org.mixtraining.data.PreparedDataset;
import org.mixtraining.vit.Head;

/** A task and its images. */
public record LabelledData(DataConfig.Task task, PreparedDataset dataset) implements Serializable {

  /** Its head in the model. */
  public Head head() {
    return Head.of(task, dataset.manifest().classCount());
  }
}
