package org.mixtraining.config;

import java.io.Serializable;
import java.util.regex.Pattern;
import org.mixtraining.config.hocon.Settings;

/**
 * Where results are written beside the Parquet tables: a catalog of Spark's and a namespace in it,
 * separated by a dot; empty: nowhere.
 */
public record ResultsConfig(String catalog) implements Serializable {
  private static final Pattern PLACE = Pattern.compile("([\\w-]+(\\.[\\w-]+)+)?");

  static ResultsConfig read(Settings settings) {
    return new ResultsConfig(
        settings.text(
            "results.catalog",
            place -> PLACE.matcher(place).matches(),
            "a catalog of Spark's, a dot and a namespace in it, as lake.mixtraining, or empty"));
  }
}
