package org.mixtraining.vit;

import org.mixtraining.config.DataConfig;
import org.mixtraining.vit.state.ModelState;

/**
 * A classification head of a model, which has one for each task.
 *
 * @param name of its layer and its {@link ModelState} block
 * @param classes its outputs
 * @param weight factor on its loss
 */
public record Head(String name, int classes, double weight) {

  /** The head of a task. */
  public static Head of(DataConfig.Task task, int classes) {
    return new Head(name(task.name()), classes, task.weight());
  }

  /** The name of a task's head. */
  public static String name(String task) {
    return task.equals(DataConfig.MAIN_TASK) ? ViTGraph.HEAD : ViTGraph.HEAD + "-" + task;
  }
}
