package org.mixtraining.config;

import java.io.Serializable;
import org.mixtraining.config.hocon.Settings;

/** Epochs of each objective, as if it were trained alone. */
public record EpochsConfig(int ssl, int sl) implements Serializable {

  static EpochsConfig read(Settings settings, Pipeline pipeline) {
    EpochsConfig epochs =
        new EpochsConfig(settings.whole("epochs.ssl", 0), settings.whole("epochs.sl", 0));
    if (pipeline == Pipeline.SL && epochs.sl == 0) {
      settings.refuse("epochs.sl", "must be at least 1 for pipeline sl");
    } else if (epochs.ssl + epochs.sl == 0) {
      settings.refuse("epochs.sl", "must be at least 1 when mixtraining.epochs.ssl is 0");
    }
    return epochs;
  }
}
