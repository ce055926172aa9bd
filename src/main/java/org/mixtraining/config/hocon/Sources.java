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
  private static final String ROOT = "mixtraining";
  private static final String COMMAND_LINE = "command line";
  private static final Config REFERENCE =
      ConfigFactory.parseResources(Sources.class.getClassLoader(), "reference.conf");

  private Sources() {}

  /** What the sources say together, with the structural problems among them already noted. */
  public static Settings merge(String base, Optional<Path> file, List<String> overrides) {
    Config defaults = ConfigFactory.parseString(base).withFallback(REFERENCE);
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
