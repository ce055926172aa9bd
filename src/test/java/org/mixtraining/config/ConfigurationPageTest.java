package org.mixtraining.config;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigObject;
import com.typesafe.config.ConfigRenderOptions;
import com.typesafe.config.ConfigValue;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The manual's page of configuration is reference.conf, rendered. */
class ConfigurationPageTest {
  private static final Path PAGE = Path.of("src/site/markdown/configuration.md");
  private static final Path RENDERED = Path.of("target/configuration.md");

  private static final String HEADER =
      """
      # Configuration

      Every key with its default. This page is generated from `src/main/resources/reference.conf`, and a test keeps it so.

      A file given by `--conf`, and then each `-D key=value`, overrides the defaults. In a file the keys are below
      `mixtraining`, as in `mixtraining { workers.count = 4 }`; `-D workers.count=4` names them without it. A key set to
      null keeps its default. Lengths in epochs are passes over the training images of a run. Paths are taken literally,
      except for a leading `~/`, which is the home directory.
      """;

  @Test
  void thePageIsTheReferenceOfToday() throws IOException {
    Files.createDirectories(RENDERED.getParent());
    Files.writeString(RENDERED, page());

    assertThat(PAGE).as("cp %s %s", RENDERED, PAGE).hasSameTextualContentAs(RENDERED);
  }

  private static String page() {
    ConfigObject reference =
        ConfigFactory.parseFile(Path.of("src/main/resources/reference.conf").toFile())
            .getObject("mixtraining");
    StringBuilder page = new StringBuilder(HEADER);
    for (Map.Entry<String, ConfigValue> block : inOrder(reference)) {
      page.append("\n## ").append(block.getKey()).append("\n\n");
      if (isExplained(block.getValue())) {
        String about = meaning(block.getValue());
        page.append(about.isEmpty() ? "" : about + "\n\n");
        page.append("| key | default | meaning |\n|---|---|---|\n");
        rows(page, block.getKey(), (ConfigObject) block.getValue());
      } else {
        page.append("| key | default | meaning |\n|---|---|---|\n");
        row(page, block.getKey(), block.getValue());
      }
    }
    return page.toString();
  }

  private static void rows(StringBuilder page, String path, ConfigObject block) {
    for (Map.Entry<String, ConfigValue> entry : inOrder(block)) {
      String key = path + "." + entry.getKey();
      if (isExplained(entry.getValue())) {
        if (!meaning(entry.getValue()).isEmpty()) {
          page.append("| `%s` | | %s |%n".formatted(key, meaning(entry.getValue())));
        }
        rows(page, key, (ConfigObject) entry.getValue());
      } else {
        row(page, key, entry.getValue());
      }
    }
  }

  private static void row(StringBuilder page, String key, ConfigValue value) {
    String fallback =
        value
            .render(ConfigRenderOptions.concise().setJson(false))
            .replace(",", ", ")
            .replace("=", " = ")
            .replace("{", " { ")
            .replace("}", " }")
            .replace("{  }", "{}")
            .strip();
    String meaning = meaning(value);
    page.append(
        "| `%s` | `%s` | %s |%n"
            .formatted(key, fallback, meaning.isEmpty() ? "as above" : meaning));
  }

  /** Whether a value is a block whose keys have comments of their own, rather than a value. */
  private static boolean isExplained(ConfigValue value) {
    return value instanceof ConfigObject block
        && block.values().stream()
            .anyMatch(each -> !each.origin().comments().isEmpty() || isExplained(each));
  }

  private static String meaning(ConfigValue value) {
    return value.origin().comments().stream()
        .map(String::strip)
        .collect(joining(" "))
        .replace("|", "\\|");
  }

  private static List<Map.Entry<String, ConfigValue>> inOrder(ConfigObject block) {
    return block.entrySet().stream()
        .sorted(Comparator.comparingInt(entry -> entry.getValue().origin().lineNumber()))
        .toList();
  }
}
