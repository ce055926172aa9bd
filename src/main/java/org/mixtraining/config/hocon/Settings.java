package org.mixtraining.config.hocon;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigObject;
import com.typesafe.config.ConfigRenderOptions;
import com.typesafe.config.ConfigValue;
import com.typesafe.config.ConfigValueFactory;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.DoublePredicate;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.mixtraining.config.Curve;
import org.mixtraining.config.KebabCase;
import org.mixtraining.config.Location;
import org.mixtraining.config.Secrets;
import org.mixtraining.config.UserException;

/**
 * The values of all keys. A value that is not allowed becomes a problem and its default stands in,
 * so that reading goes on and every problem is found.
 */
public final class Settings {
  private static final Pattern PAIR = Pattern.compile("\\[([^,]+),([^,]+)]");

  private final ConfigValue effective;
  private final List<String> problems;
  private Config defaults;

  Settings(ConfigValue effective, Config defaults, List<String> problems) {
    this.effective = effective;
    this.defaults = defaults;
    this.problems = problems;
    problems.addAll(new KnownKeys(defaults.root()).problems(effective));
  }

  /** These settings under blocks of keys, of which a later one wins. */
  public Settings under(List<ConfigObject> blocks) {
    ConfigValue merged = effective;
    for (ConfigObject block : blocks) {
      merged = block.withFallback(merged);
    }
    return new Settings(merged, defaults, new ArrayList<>());
  }

  /**
   * The value of a key that holds blocks by names of their own; none where it holds anything else.
   */
  public ConfigObject blocks(String key) {
    return value(key) instanceof ConfigObject block ? block : ConfigFactory.empty().root();
  }

  /** A default that depends on other keys. */
  public void byDefault(String key, Object value) {
    defaults = defaults.withValue(key, ConfigValueFactory.fromAnyRef(value, "default"));
  }

  /** The value of a key, as {@code parse} reads its text. */
  public <T> T read(String key, Function<String, T> parse, Predicate<T> allowed, String range) {
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

  public String text(String key, Predicate<String> allowed, String range) {
    return read(key, text -> text, allowed, range);
  }

  public String oneOf(String key, List<String> choices) {
    return text(key, choices::contains, "one of " + String.join(", ", choices));
  }

  public boolean flag(String key) {
    return oneOf(key, List.of("true", "false")).equals("true");
  }

  /** One of the constants of an enum, as {@link KebabCase} writes them. */
  public <E extends Enum<E>> E choice(String key, Class<E> type) {
    Map<String, E> choices = new LinkedHashMap<>();
    for (E constant : type.getEnumConstants()) {
      choices.put(KebabCase.of(constant), constant);
    }
    return choices.get(oneOf(key, List.copyOf(choices.keySet())));
  }

  public int whole(String key, int least) {
    return whole(key, value -> value >= least, "a whole number of at least " + least);
  }

  public int whole(String key, Predicate<Integer> allowed, String range) {
    return read(key, Integer::valueOf, allowed, range);
  }

  public long seed(String key) {
    return read(key, Long::valueOf, seed -> true, "a 64-bit whole number");
  }

  public double number(String key, DoublePredicate allowed, String range) {
    return read(
        key,
        Settings::number,
        value -> Double.isFinite(value) && allowed.test(value),
        "a number " + range);
  }

  public Curve curve(String key, DoublePredicate allowed, String range) {
    return read(
        key,
        Curve::parse,
        curve -> allowed.test(curve.start()) && allowed.test(curve.end()),
        "constant(a), linear(a->b) or cosine(a->b) with a and b " + range);
  }

  /** Two numbers in brackets. */
  public <T> T pair(
      String key, BiFunction<Double, Double, T> of, Predicate<T> allowed, String range) {
    return read(
        key,
        text -> {
          Matcher pair = PAIR.matcher(text);
          if (!pair.matches()) {
            throw new IllegalArgumentException(text);
          }
          return of.apply(number(pair.group(1)), number(pair.group(2)));
        },
        allowed,
        range);
  }

  public String path(String key) {
    if (text(key, path -> true, "a path").isBlank()) {
      refuse(key, "must be a path");
      return "";
    }
    return place(key, "a path");
  }

  /** A path, or nothing. */
  public String place(String key, String range) {
    if (!isText(value(key))) {
      refuse(
          key,
          "must be %s; in quotes if it begins with a bracket, a brace or a quote".formatted(range));
      return "";
    }
    String given = text(key, path -> true, range);
    if (!given.isEmpty()) {
      Location.problem(given).ifPresent(why -> refuse(key, why));
    }
    return Location.expanded(given);
  }

  /** Notes that a key's value is not allowed, and why. */
  public void refuse(String key, String why) {
    refuse(key, value(key), why);
  }

  /** The same of a value within a key's. */
  public void refuse(String key, ConfigValue value, String why) {
    problems.add(problem(key, value, why));
  }

  /** What is known to be wrong so far. */
  public List<String> problems() {
    return List.copyOf(problems);
  }

  /** Fails with every problem noted. */
  public void check() {
    UserException.throwAny(problems);
  }

  private ConfigValue value(String key) {
    boolean given = effective instanceof ConfigObject block && block.toConfig().hasPath(key);
    return (given ? ((ConfigObject) effective).toConfig() : defaults).getValue(key);
  }

  /** Whether a value is one text, or number, as it stands. */
  private static boolean isText(ConfigValue value) {
    return switch (value.valueType()) {
      case LIST, OBJECT -> false;
      default -> true;
    };
  }

  /** Stricter than {@link Double#valueOf}, which reads NaN and 1d. */
  private static Double number(String text) {
    return new BigDecimal(text.strip()).doubleValue();
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

  /** A line for a person: the full key, its value, what is wrong with it and where it is. */
  static String problem(String key, ConfigValue value, String why) {
    return "%s = %s: %s (%s)".formatted(full(key), shown(key, value), why, place(value));
  }

  /** A key as messages show it, and a file without blocks would. */
  public static String full(String key) {
    return key.isEmpty() ? "mixtraining" : "mixtraining." + key;
  }

  /** File and line of a value, or the command line. */
  static String place(ConfigValue value) {
    boolean inFile = value.origin().filename() != null;
    return value.origin().description().replaceFirst(": (\\d+)$", inFile ? ":$1" : "");
  }
}
