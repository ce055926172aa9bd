package org.mixtraining.config.hocon;

import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigObject;
import com.typesafe.config.ConfigValue;
import com.typesafe.config.ConfigValueType;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.apache.commons.text.similarity.LevenshteinDistance;

/** The known keys: any other key is refused, with a suggestion of the nearest. */
final class KnownKeys {
  private static final LevenshteinDistance NEARNESS = LevenshteinDistance.getDefaultInstance();

  private final ConfigObject reference;
  private final List<String> names = new ArrayList<>();

  KnownKeys(ConfigObject reference) {
    this.reference = reference;
    list(reference, "");
  }

  /** A line for every key that is unknown, or a value in place of a block. */
  List<String> problems(ConfigValue given) {
    List<String> problems = new ArrayList<>();
    compare(given, reference, "", problems);
    return problems;
  }

  private void list(ConfigObject block, String prefix) {
    for (var entry : block.entrySet()) {
      if (entry.getValue() instanceof ConfigObject inner && !inner.isEmpty()) {
        list(inner, prefix + entry.getKey() + ".");
      } else {
        names.add(prefix + entry.getKey());
      }
    }
  }

  private void compare(
      ConfigValue given, ConfigObject expected, String prefix, List<String> problems) {
    if (!(given instanceof ConfigObject block)) {
      if (given.valueType() != ConfigValueType.NULL) {
        problems.add(
            Settings.problem(prefix.replaceFirst("\\.$", ""), given, "must be a block { … }"));
      }
      return;
    }
    for (var entry : block.entrySet()) {
      String key = prefix + entry.getKey();
      ConfigValue value = entry.getValue();
      ConfigValue known = expected.get(entry.getKey());
      if (known == null && value instanceof ConfigObject) {
        compare(value, ConfigFactory.empty().root(), key + ".", problems);
      } else if (known == null) {
        problems.add(
            Settings.problem(
                key, value, "unknown key; the nearest is " + Settings.full(nearest(key))));
      } else if (known instanceof ConfigObject inner && !isOpen(inner, value)) {
        compare(value, inner, key + ".", problems);
      }
    }
  }

  /** An empty block of the reference takes blocks by names that are not known here. */
  private static boolean isOpen(ConfigObject reference, ConfigValue given) {
    return reference.isEmpty() && given instanceof ConfigObject;
  }

  private String nearest(String key) {
    return names.stream()
        .sorted()
        .min(
            Comparator.comparingInt(
                name ->
                    Math.min(
                        NEARNESS.apply(key, name),
                        NEARNESS.apply(key, name.substring(name.lastIndexOf('.') + 1)))))
        .orElseThrow();
  }
}
