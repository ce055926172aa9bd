package org.mixtraining;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What {@code mvn verify} prints last: the classes of tests that took the longest. */
public final class SlowestTests {
  private static final int SHOWN = 12;
  private static final Pattern SUITE =
      Pattern.compile("<testsuite [^>]*?name=\"([^\"]+)\" time=\"([0-9.,]+)\" tests=\"(\\d+)\"");

  /** A class of tests, by Surefire's report of it. */
  record Suite(String name, double seconds, int tests) {
    static List<Suite> in(Path reports) throws IOException {
      List<Suite> suites = new ArrayList<>();
      if (Files.isDirectory(reports)) {
        try (var files = Files.newDirectoryStream(reports, "TEST-*.xml")) {
          for (Path file : files) {
            Matcher suite = SUITE.matcher(Files.readString(file));
            if (suite.find()) {
              double seconds = Double.parseDouble(suite.group(2).replace(",", ""));
              suites.add(new Suite(suite.group(1), seconds, Integer.parseInt(suite.group(3))));
            }
          }
        }
      }
      return suites;
    }
  }

  private SlowestTests() {}

  /**
   * @param reports directories of Surefire's and Failsafe's reports
   */
  public static void main(String[] reports) throws IOException {
    List<Suite> suites = new ArrayList<>();
    for (String directory : reports) {
      suites.addAll(Suite.in(Path.of(directory)));
    }
    lines(suites).forEach(System.out::println);
  }

  static List<String> lines(List<Suite> suites) {
    List<String> lines = new ArrayList<>();
    if (!suites.isEmpty()) {
      lines.add(
          String.format(
              Locale.ROOT,
              "%d tests of %d classes took %.0f s; the longest:",
              suites.stream().mapToInt(Suite::tests).sum(),
              suites.size(),
              suites.stream().mapToDouble(Suite::seconds).sum()));
      suites.stream()
          .sorted(Comparator.comparingDouble(Suite::seconds).reversed())
          .limit(SHOWN)
          .map(
              suite ->
                  String.format(
                      Locale.ROOT,
                      "%7.1f s %4d %s",
                      suite.seconds(),
                      suite.tests(),
                      suite.name().replaceFirst(".*\\.", "")))
          .forEach(lines::add);
    }
    return lines;
  }
}
