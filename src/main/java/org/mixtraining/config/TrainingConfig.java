package org.mixtraining.config;

import java.io.Serializable;
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

  static TrainingConfig read(Settings settings, Pipeline pipeline, double modelMaskRatio) {
    return new TrainingConfig(
        InitConfig.read(settings),
        pipeline,
        EpochsConfig.read(settings, pipeline),
        MixConfig.read(settings, pipeline, modelMaskRatio),
        OptimizerConfig.read(settings),
        AugmentConfig.read(settings),
        EvaluationConfig.read(settings),
        EarlyStoppingConfig.read(settings));
  }
}
