package org.mixtraining.config;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigObject;
import com.typesafe.config.ConfigRenderOptions;
import com.typesafe.config.ConfigValue;
import com.typesafe.config.ConfigValueFactory;
import com.typesafe.config.ConfigValueType;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * The values of all keys. A value that is not allowed becomes a problem and its default stands in,
 * so that reading goes on and every problem is found.
 */
final class Settings {
  private final ConfigValue effective;
  private final List<String> problems;
  private final List<String> known = new ArrayList<>();
  private Config defaults;

  Settings(ConfigValue effective, Config defaults, List<String> problems) {
    this.effective = effective;
    this.defaults = defaults;
    this.problems = problems;
    list(defaults.root(), "");
    compare(effective, defaults.root(), "");
  }

  /** These settings under blocks of keys, of which a later one wins. */
  Settings under(List<ConfigObject> blocks) {
    ConfigValue merged = effective;
    for (ConfigObject block : blocks) {
      merged = block.withFallback(merged);
    }
    return new Settings(merged, defaults, new ArrayList<>());
  }

  /**
   * The value of a key that holds blocks by names of their own; none where it holds anything else.
   */
  ConfigObject blocks(String key) {
    return value(key) instanceof ConfigObject block ? block : ConfigFactory.empty().root();
  }

  /** A default that depends on other keys. */
  void byDefault(String key, Object value) {
    defaults = defaults.withValue(key, ConfigValueFactory.fromAnyRef(value, "default"));
  }

  /** The value of a key, as {@code parse} reads its text. */
  <T> T read(String key, Function<String, T> parse, Predicate<T> allowed, String range) {
    ConfigValue value = value(key);
    try {
      T parsed = parse.apply(text(value));
      if (allowed.test(parsed)) {
        return parsed;
      }
    } catch (IllegalArgumentException e) {
      // Reported as any other value that is not allowed.
    }
    refuse(key, "must be " + range);
    return parse.apply(text(defaults.getValue(key)));
  }

  /** Whether a key's value is one text, or number, as it stands. */
  boolean isText(String key) {
    return switch (value(key).valueType()) {
      case LIST, OBJECT -> false;
      default -> true;
    };
  }

  /** Notes that a key's value is not allowed, and why. */
  void refuse(String key, String why) {
    refuse(key, value(key), why);
  }

  /** The same of a value within a key's. */
  void refuse(String key, ConfigValue value, String why) {
    problems.add("%s = %s: %s (%s)".formatted(key, shown(key, value), why, place(value)));
  }

  /** What is known to be wrong so far. */
  List<String> problems() {
    return List.copyOf(problems);
  }

  /** Fails with every problem noted. */
  void check() {
    if (!problems.isEmpty()) {
      throw new UserException(problems);
    }
  }

  private ConfigValue value(String key) {
    boolean given = effective instanceof ConfigObject block && block.toConfig().hasPath(key);
    return (given ? ((ConfigObject) effective).toConfig() : defaults).getValue(key);
  }

  private void list(ConfigObject block, String prefix) {
    for (var entry : block.entrySet()) {
      if (entry.getValue() instanceof ConfigObject inner && !inner.isEmpty()) {
        list(inner, prefix + entry.getKey() + ".");
      } else {
        known.add(prefix + entry.getKey());
      }
    }
  }

  private void compare(ConfigValue given, ConfigObject reference, String prefix) {
    if (!(given instanceof ConfigObject block)) {
      if (given.valueType() != ConfigValueType.NULL) {
        String name = prefix.isEmpty() ? "mixtraining" : prefix.substring(0, prefix.length() - 1);
        problems.add(
            "%s = %s: must be a block { … } (%s)"
                .formatted(name, shown(name, given), place(given)));
      }
      return;
    }
    for (var entry : block.entrySet()) {
      String key = prefix + entry.getKey();
      ConfigValue expected = reference.get(entry.getKey());
      if (expected == null && entry.getValue() instanceof ConfigObject) {
        compare(entry.getValue(), ConfigFactory.empty().root(), key + ".");
      } else if (expected == null) {
        problems.add(
            "%s = %s: unknown key; the nearest is %s (%s)"
                .formatted(
                    key, shown(key, entry.getValue()), nearest(key), place(entry.getValue())));
      } else if (expected instanceof ConfigObject inner && !isOpen(inner, entry.getValue())) {
        compare(entry.getValue(), inner, key + ".");
      }
    }
  }

  /** An empty block of the reference takes blocks by names that are not known here. */
  private static boolean isOpen(ConfigObject reference, ConfigValue given) {
    return reference.isEmpty() && given instanceof ConfigObject;
  }

  private String nearest(String key) {
    return known.stream()
        .sorted()
        .min(
            Comparator.comparingInt(
                name ->
                    Math.min(
                        EditDistance.between(key, name),
                        EditDistance.between(key, name.substring(name.lastIndexOf('.') + 1)))))
        .orElseThrow();
  }

  private static String text(ConfigValue value) {
    return switch (value.valueType()) {
      case LIST, OBJECT, NULL -> value.render(ConfigRenderOptions.concise());
      case STRING -> (String) value.unwrapped();
      case NUMBER, BOOLEAN -> value.atKey("value").getString("value");
    };
  }

  private static String shown(String key, ConfigValue value) {
    String text = text(value).replaceAll("\\s+", " ");
    return text.isEmpty() ? "\"\"" : Secrets.shown(key, text);
  }

  /** File and line of a value, or the command line. */
  static String place(ConfigValue value) {
    boolean inFile = value.origin().filename() != null;
    return value.origin().description().replaceFirst(": (\\d+)$", inFile ? ":$1" : "");
  }
}
