package org.mixtraining.config;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Whatever a person is told of a key, by any class, the key is written in full. */
class MessagesTest {
  private static final Pattern TOKEN =
      Pattern.compile(
          "/\\*.*?\\*/|//[^\\n]*|'(?:[^'\\\\]|\\\\.[^']*)'|\"\"\".*?\"\"\"|\"([^\"\\\\\\n]*+(?:\\\\.[^\"\\\\\\n]*+)*+)\"",
          Pattern.DOTALL);

  private static void list(ConfigObject block, String prefix, List<String> keys) {
    block.forEach(
        (name, value) -> {
          if (value instanceof ConfigObject inner && !inner.isEmpty()) {
            list(inner, prefix + name + ".", keys);
          } else if (!prefix.isEmpty()) {
            keys.add(prefix + name);
          }
        });
  }

  /** Alone in a literal a key is code, and with an equals sign at its end an argument of -D. */
  @Test
  void keysStandInMessagesInFull() throws IOException {
    List<String> keys = new ArrayList<>();
    list(ConfigFactory.parseResources("reference.conf").getConfig("mixtraining").root(), "", keys);
    Pattern shortened =
        Pattern.compile(
            keys.stream()
                .map(Pattern::quote)
                .collect(joining("|", "(?<![\\w.-])(?:", ")(?![\\w=-])")));
    List<String> found = new ArrayList<>();
    try (Stream<Path> files = Files.walk(Path.of("src/main/java"))) {
      for (Path file : files.filter(path -> path.toString().endsWith(".java")).toList()) {
        TOKEN
            .matcher(Files.readString(file))
            .results()
            .map(token -> token.group(1))
            .filter(text -> text != null && !keys.contains(text.replaceFirst("\\.$", "")))
            .filter(text -> shortened.matcher(text).find())
            .forEach(text -> found.add(file.getFileName() + ": " + text));
      }
    }

    assertThat(keys).hasSizeGreaterThan(60).contains("data.tasks", "mix.alpha");
    assertThat(found).isEmpty();
  }
}
