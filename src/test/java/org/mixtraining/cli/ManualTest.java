package org.mixtraining.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.mixtraining.config.Comparison;
import org.mixtraining.config.JobConfig;
import picocli.CommandLine;

/** The README and the manual: that their links lead somewhere, and what they name exists. */
class ManualTest {
  private static final Path MANUAL = Path.of("src/site/markdown");
  private static final Config REFERENCE =
      ConfigFactory.parseFile(new File("src/main/resources/reference.conf"))
          .getConfig("mixtraining");

  private static List<Path> pages() throws IOException {
    try (Stream<Path> files = Files.list(MANUAL)) {
      return files.sorted().toList();
    }
  }

  static List<Path> documents() throws IOException {
    try (Stream<Path> files = Files.list(Path.of(""))) {
      return Stream.concat(
              files.filter(file -> file.toString().endsWith(".md")).sorted(), pages().stream())
          .toList();
    }
  }

  /** A command in a block of code of one of the documents. */
  record Shown(Path document, String line) {

    /** Its words as a shell takes them, without what is set before it. */
    List<String> words() throws IOException {
      String command = line.replaceAll("^([A-Z_0-9]+=\\S+ )+", "");
      Process bash = new ProcessBuilder("bash", "-c", "printf '%s\\0' " + command).start();
      String words = new String(bash.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return List.of(words.split("\0"));
    }

    @Override
    public String toString() {
      return document + ": " + line;
    }
  }

  private static Stream<Shown> commands(String pattern) throws IOException {
    return documents().stream()
        .flatMap(
            document ->
                found("(?m)^(?: {4})?((?:[A-Z_0-9]+=\\S+ )*" + pattern + ".*)$", read(document))
                    .map(line -> new Shown(document, line)));
  }

  static List<Shown> jobs() throws IOException {
    return commands("submit/(?:mixtraining|standalone|yarn|kubernetes) ").toList();
  }

  static List<Shown> builds() throws IOException {
    return commands("mvn ").toList();
  }

  /** A document with commands of several lines joined. */
  private static String read(Path document) {
    try {
      return Files.readString(document).replaceAll(" \\\\\n +", " ");
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static Stream<String> found(String pattern, String text) {
    return Pattern.compile(pattern).matcher(text).results().map((MatchResult m) -> m.group(1));
  }

  /** What stands in code within a sentence. */
  private static Stream<String> spans(Path document) {
    return found("`([^`\n]+)`", read(document).replaceAll("(?s)```.*?```", ""));
  }

  @ParameterizedTest
  @MethodSource("documents")
  void linksLeadSomewhere(Path document) {
    assertThat(found("\\]\\(([^)\\s]+)\\)", read(document)).filter(link -> !link.contains("://")))
        .allSatisfy(
            link -> {
              String[] parts = link.split("#", 2);
              Path target =
                  parts[0].isEmpty() ? document : document.resolveSibling(parts[0]).normalize();
              assertThat(target).as(link).exists();
              assertThat(parts.length == 1 || anchors(target).contains(parts[1])).as(link).isTrue();
            });
  }

  /** Of headings, as code hosts make them. */
  private static List<String> anchors(Path document) {
    return found("(?m)^#+ (.*)$", read(document))
        .map(heading -> heading.toLowerCase(Locale.ROOT).replaceAll("[^\\p{L}\\p{N} _-]", ""))
        .map(heading -> heading.replace(' ', '-'))
        .toList();
  }

  /** The site has no other files, and anchors of its own. */
  @Test
  void pagesLinkToWholePages() throws IOException {
    assertThat(pages())
        .allSatisfy(
            page ->
                assertThat(found("\\]\\(([^)\\s]+)\\)", read(page)))
                    .allMatch(link -> link.matches("https://.*|[a-z-]+\\.md")));
  }

  /** Comments, messages and configurations that refer to the manual. */
  @Test
  void pagesThatCodeNamesExist() throws IOException {
    for (var root : List.of("src/main", "src/test", "src/jmh", "conf", "submit")) {
      try (Stream<Path> files = Files.walk(Path.of(root))) {
        assertThat(
                files
                    .filter(file -> file.toString().matches(".*\\.(java|conf|sh)"))
                    .flatMap(file -> found("(src/site/markdown/[a-z-]+\\.md)", read(file))))
            .allSatisfy(page -> assertThat(Path.of(page)).exists());
      }
    }
  }

  @Test
  void contentsAndMenuHaveEveryPage() throws IOException {
    List<String> names =
        pages().stream().map(page -> page.getFileName().toString().replace(".md", "")).toList();
    assertThat(found("\\]\\(([a-z-]+)\\.md\\)", read(MANUAL.resolve("index.md"))))
        .containsAll(names.stream().filter(name -> !name.equals("index")).toList());
    assertThat(found("href=\"([a-z-]+)\\.html\"", read(Path.of("src/site/site.xml"))))
        .containsExactlyInAnyOrderElementsOf(names);
  }

  @ParameterizedTest
  @MethodSource("documents")
  void filesAndKeysThatAreNamedExist(Path document) {
    assertThat(
            spans(document).filter(span -> span.matches("(conf|src|submit|notebooks|docker)/\\S*")))
        .filteredOn(path -> !path.contains("*"))
        .allSatisfy(path -> assertThat(Path.of(path)).exists());

    String blocks = String.join("|", REFERENCE.root().keySet());
    assertThat(
            spans(document).filter(span -> span.matches("(" + blocks + ")(\\.[a-z-]+)+( = .*)?")))
        .filteredOn(span -> !span.endsWith(".safetensors"))
        .map(span -> span.split(" ")[0])
        .allMatch(REFERENCE::hasPathOrNull);
  }

  @ParameterizedTest
  @MethodSource("jobs")
  void commandsAreOnesThatTheJobAccepts(Shown shown) throws IOException {
    List<String> words = shown.words();
    assertThat(Path.of(words.get(0))).isExecutable();
    CommandLine commands = new CommandLine(Main.class).setCaseInsensitiveEnumValuesAllowed(true);
    var given =
        commands
            .parseArgs(
                words.stream()
                    .skip(1)
                    .filter(word -> !word.equals("--print"))
                    .toArray(String[]::new))
            .subcommand();

    Optional<Path> file =
        Optional.ofNullable(given.<Path>matchedOptionValue("--conf", null)).filter(Files::exists);
    List<String> settings = given.matchedOptionValue("-D", List.of());
    if (given.commandSpec().name().equals("compare")) {
      assertThat(Comparison.load(file, settings).runs()).isNotEmpty();
    } else {
      assertThat(JobConfig.load(file, settings)).isNotNull();
    }
  }

  @ParameterizedTest
  @MethodSource("builds")
  void profilesAndTestsOfBuildsExist(Shown shown) throws IOException {
    String pom = Files.readString(Path.of("pom.xml"));
    assertThat(found("-P([\\w,-]+)", shown.line()).flatMap(names -> Stream.of(names.split(","))))
        .allSatisfy(name -> assertThat(pom).contains("<id>" + name + "</id>"));
    try (Stream<Path> files = Files.walk(Path.of("src"))) {
      assertThat(files.map(file -> file.getFileName().toString()).toList())
          .containsAll(
              found("-D(?:it\\.)?test=(\\w+)", shown.line()).map(name -> name + ".java").toList());
    }
  }
}
