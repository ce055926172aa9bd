package org.mixtraining.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.mixtraining.report.chart.Mark;

/** Contrasts of the style sheet's colours, by WCAG 2.1. */
class ThemeTest {

  static Stream<Map<String, String>> themes() throws IOException {
    try (InputStream in = Report.class.getResourceAsStream("report.css")) {
      String css = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      String[] halves = css.split("prefers-color-scheme: dark", 2);
      Map<String, String> light = colours(halves[0]);
      Map<String, String> dark = new HashMap<>(light);
      dark.putAll(colours(halves[1]));
      return Stream.of(light, dark);
    }
  }

  private static Map<String, String> colours(String css) {
    Map<String, String> colours = new HashMap<>();
    Pattern.compile("--([a-z0-9-]+): (#[0-9a-f]{6})")
        .matcher(css)
        .results()
        .forEach(match -> colours.put(match.group(1), match.group(2)));
    return colours;
  }

  @ParameterizedTest
  @MethodSource("themes")
  void textsAreReadable(Map<String, String> theme) {
    for (String text : List.of("ink", "soft", "accent", "good", "bad", "wait")) {
      for (String ground : List.of("page", "card")) {
        assertThat(contrast(theme.get(text), theme.get(ground)))
            .as(text + " on " + ground)
            .isGreaterThanOrEqualTo(4.5);
      }
    }
    assertThat(contrast(theme.get("heat-ink"), theme.get("heat"))).isGreaterThanOrEqualTo(4.5);
  }

  @ParameterizedTest
  @MethodSource("themes")
  void linesAndAreasStandOut(Map<String, String> theme) {
    for (Mark mark : Mark.values()) {
      assertThat(contrast(theme.get(mark.style()), theme.get("card")))
          .as(mark.style())
          .isGreaterThanOrEqualTo(3);
    }
  }

  private static double contrast(String one, String other) {
    double a = luminance(one);
    double b = luminance(other);
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  }

  private static double luminance(String colour) {
    double[] weights = {0.2126, 0.7152, 0.0722};
    double luminance = 0;
    for (int i = 0; i < 3; i++) {
      double c = Integer.parseInt(colour.substring(1 + 2 * i, 3 + 2 * i), 16) / 255.0;
      luminance += weights[i] * (c <= 0.03928 ? c / 12.92 : Math.pow((c + 0.055) / 1.055, 2.4));
    }
    return luminance;
  }
}
