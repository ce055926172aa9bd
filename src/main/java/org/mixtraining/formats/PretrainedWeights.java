package org.mixtraining.formats;

import java.util.List;
import org.mixtraining.config.InitConfig.InitParts;
import org.mixtraining.vit.Head;
import org.mixtraining.vit.ViT;
import org.mixtraining.vit.state.ModelState;

/** Pretrained weights that a run can be initialised with. */
public sealed interface PretrainedWeights permits TrainedWeights, TimmWeights {

  /**
   * A run's initial state with the pretrained weights in place of its random ones. Moments and step
   * counts stay at zero.
   *
   * @param vit the run's model
   * @param heads the run's
   * @param initial the run's state before its first epoch
   * @param parts the blocks to take
   * @throws org.mixtraining.config.UserException if it does not fit: a line for each block, which
   *     names the first tensor that differs, and both shapes
   */
  ModelState into(ViT vit, List<Head> heads, ModelState initial, InitParts parts);

  /** Remarks on what was taken and what was not; may be empty. */
  List<String> notes();
}
