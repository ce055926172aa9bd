package org.mixtraining.ml;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.Params;
import org.mixtraining.config.UserException;
import org.mixtraining.config.hocon.Reference;

/**
 * The keys of the configuration as params: {@code optimizer.base-lr} is {@code optimizerBaseLr}.
 * Their values are text, as after {@code -D}.
 */
final class ConfigParams implements Serializable {
  private static final long serialVersionUID = 1L;

  /** Keys that say which images are trained on, as a DataFrame does, or belong to compare. */
  private static final Pattern NOT_HERE =
      Pattern.compile(
          "compare\\..*|data\\.(format|source|path|label|image|keep-unlabelled|tasks|synthetic\\..*)");

  private static final Pattern BREAK = Pattern.compile("[.-](.)");

  private final Map<String, Param<String>> byKey = new LinkedHashMap<>();

  ConfigParams(Params owner) {
    Reference.comments()
        .forEach(
            (key, comment) -> {
              if (!NOT_HERE.matcher(key).matches()) {
                byKey.put(key, new Param<>(owner, name(key), comment));
              }
            });
  }

  /** The name of a key's param. */
  static String name(String key) {
    return BREAK.matcher(key).replaceAll(m -> m.group(1).toUpperCase(Locale.ROOT));
  }

  /**
   * The param of a key.
   *
   * @throws UserException if there is none
   */
  Param<String> of(String key) {
    Param<String> param = byKey.get(key.replaceFirst("^mixtraining\\.", ""));
    if (param == null) {
      Set<String> keys = byKey.keySet();
      throw new UserException("%s: is not a key of a fit; those are %s".formatted(key, keys));
    }
    return param;
  }

  Iterable<Param<String>> all() {
    return byKey.values();
  }

  /** Those that are set, as {@code key=value}. */
  List<String> settings(Params owner) {
    List<String> settings = new ArrayList<>();
    byKey.forEach(
        (key, param) -> {
          if (owner.isSet(param)) {
            settings.add(key + "=" + owner.getOrDefault(param));
          }
        });
    return settings;
  }
}
