package org.mixtraining.config.hocon;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigParseOptions;
import com.typesafe.config.ConfigValue;
import com.typesafe.config.ConfigValueFactory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.mixtraining.config.Secrets;
import org.mixtraining.config.Text;
import org.mixtraining.config.UserException;

/** The sources of a configuration: {@code reference.conf}, a file, the command line. */
public final class Sources {
  static final String ROOT = "mixtraining";
  private static final String UNLABELLED = ROOT + ".mix.unlabelled-fraction";
  private static final String WORKERS = ROOT + ".workers.count";
  private static final String DEVICE = ROOT + ".workers.device";
  private static final String PRECISION = ROOT + ".workers.precision";
  private static final String ROUNDS = ROOT + ".averaging.rounds";
  private static final String BATCH_SIZE = ROOT + ".optimizer.batch-size";
  private static final String BASE_LR = ROOT + ".optimizer.base-lr";
  private static final String COMMAND_LINE = "command line";
  private static final Config REFERENCE = Reference.load();

  private Sources() {}

  /** What the sources say together, with the structural problems among them already noted. */
  public static Settings merge(String base, Optional<Path> file, List<String> overrides) {
    Config defaults = today(ConfigFactory.parseString(base)).withFallback(REFERENCE);
    List<String> problems = new ArrayList<>();
    Config user = ConfigFactory.empty();
    for (String override : overrides) {
      try {
        user = parse(override).withFallback(user);
      } catch (StackOverflowError e) {
        problems.add("-D: a value is nested too deep");
      } catch (ConfigException e) {
        problems.add(
            Secrets.isSecret(override)
                ? "-D %s: must be key=value".formatted(Secrets.REDACTED)
                : "-D %s: must be key=value, and HOCON if the value begins with a bracket, a brace or a quote; %s"
                    .formatted(override, oneLine(e)));
      }
    }
    try {
      user = user.withFallback(file.map(Sources::read).orElse(ConfigFactory.empty()));
      Config effective = user.withFallback(defaults).resolve();
      for (String key : user.root().keySet()) {
        if (!key.equals(ROOT)) {
          problems.add(
              "%s: unknown block; every key lies inside %s { … } (%s)"
                  .formatted(key, ROOT, Settings.place(user.root().get(key))));
        }
      }
      return new Settings(effective.root().get(ROOT), REFERENCE.getConfig(ROOT), problems);
    } catch (ConfigException e) {
      problems.add(oneLine(e));
      throw new UserException(problems);
    } catch (UserException e) {
      problems.addAll(e.problems());
      throw new UserException(problems);
    } catch (StackOverflowError e) { // the parser and the resolver descend a frame a level
      problems.add("the configuration is nested too deep");
      throw new UserException(problems);
    }
  }

  /**
   * A run's configuration as it reads today. Before there were rounds, {@code batch-size} was that
   * of each worker, and an epoch had one average: the same peak of the learning rate came of a rate
   * as many times as high. And bf16, the default, was the precision of GPUs alone: a run that was
   * not bound to them goes on in float32. And before images without a label could be left out, all
   * were visited.
   */
  private static Config today(Config base) {
    if (base.isEmpty()) {
      return base;
    }
    return base.hasPath(UNLABELLED)
        ? rounds(base)
        : rounds(base).withValue(UNLABELLED, ConfigValueFactory.fromAnyRef("constant(1)"));
  }

  private static Config rounds(Config base) {
    if (base.hasPath(ROUNDS)) {
      return base;
    }
    Config own =
        bf16(base) ? base.withValue(PRECISION, ConfigValueFactory.fromAnyRef("fp32")) : base;
    int workers = base.hasPath(WORKERS) ? base.getInt(WORKERS) : 1;
    return workers == 1
        ? own
        : own.withValue(ROUNDS, ConfigValueFactory.fromAnyRef(1))
            .withValue(BATCH_SIZE, ConfigValueFactory.fromAnyRef(base.getInt(BATCH_SIZE) * workers))
            .withValue(BASE_LR, ConfigValueFactory.fromAnyRef(base.getDouble(BASE_LR) / workers));
  }

  private static boolean bf16(Config base) {
    return base.hasPath(PRECISION)
        && base.getString(PRECISION).equals("bf16")
        && !(base.hasPath(DEVICE) && base.getString(DEVICE).equals("gpu"));
  }

  private static Config read(Path file) {
    if (!Files.isRegularFile(file) || !Files.isReadable(file)) {
      throw new UserException(
          "configuration file %s: %s"
              .formatted(file, Files.exists(file) ? "not a readable file" : "no such file"));
    }
    try {
      Text.of(Files.readAllBytes(file));
    } catch (IOException e) {
      throw new UserException("configuration file %s: %s".formatted(file, e.getMessage()));
    }
    // The library looks for what a file includes beside it, but not beside one without a directory.
    Path beside = file.getParent() == null ? Path.of(".").resolve(file) : file;
    return ConfigFactory.parseFile(
        beside.toFile(), ConfigParseOptions.defaults().setAllowMissing(false));
  }

  private static Config parse(String override) {
    int equals = override.indexOf('=');
    String key = override.substring(0, Math.max(0, equals)).strip();
    String path = key.startsWith(ROOT + ".") ? key : ROOT + "." + key;
    return ConfigFactory.empty().withValue(path, value(override.substring(equals + 1).strip()));
  }

  private static ConfigValue value(String text) {
    if (!text.isEmpty() && "[{\"".indexOf(text.charAt(0)) >= 0) {
      return ConfigFactory.parseString(
              "value = " + text, ConfigParseOptions.defaults().setOriginDescription(COMMAND_LINE))
          .getValue("value");
    }
    return text.equals("null")
        ? ConfigValueFactory.fromAnyRef(null, COMMAND_LINE)
        : ConfigValueFactory.fromAnyRef(text, COMMAND_LINE);
  }

  private static String oneLine(ConfigException e) {
    return e.getMessage().replaceAll("\\s+", " ").replaceFirst(": (\\d+): ", ":$1: ");
  }
}
