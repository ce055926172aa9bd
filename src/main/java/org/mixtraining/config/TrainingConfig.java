package org.mixtraining.config;

import java.io.Serializable;
import org.mixtraining.config.MixConfig.MixMode;
import org.mixtraining.config.MixConfig.MixPass;
import org.mixtraining.config.hocon.Settings;

/** Training hyperparameters: the blocks from {@code init} to {@code early-stopping}. */
public record TrainingConfig(
    InitConfig init,
    Pipeline pipeline,
    EpochsConfig epochs,
    MixConfig mix,
    OptimizerConfig optimizer,
    AugmentConfig augment,
    EvaluationConfig evaluation,
    EarlyStoppingConfig earlyStopping)
    implements Serializable {

  /**
   * Reads the blocks.
   *
   * @param modelMaskRatio share of the patches masked in SSL epochs
   * @param data to train on
   */
  static TrainingConfig read(
      Settings settings, Pipeline pipeline, double modelMaskRatio, DataConfig data) {
    EpochsConfig epochs = EpochsConfig.read(settings, pipeline);
    MixConfig mix = MixConfig.read(settings, pipeline, epochs, modelMaskRatio, data);
    boolean visible =
        pipeline == Pipeline.MIX
            && mix.ratio() > 0
            && mix.mode() == MixMode.JOINT
            && mix.pass() == MixPass.VISIBLE;
    return new TrainingConfig(
        InitConfig.read(settings),
        pipeline,
        epochs,
        mix,
        OptimizerConfig.read(settings),
        AugmentConfig.read(settings, visible),
        EvaluationConfig.read(settings),
        EarlyStoppingConfig.read(settings));
  }
}
