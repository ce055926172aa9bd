package org.mixtraining.report.chart;

import static j2html.TagCreator.rawHtml;
import static j2html.TagCreator.style;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The README's figure is the manual's table of accuracy for compute, drawn as reports are. */
class PublishedFigureTest {
  private static final Path FIGURE = Path.of("src/site/resources/accuracy-for-compute.svg");
  private static final Path DRAWN = Path.of("target/accuracy-for-compute.svg");
  private static final int TITLE = 22;

  /** As in the reports' style sheet, whose colours a browser takes from variables. */
  private static final String STYLE =
      """
      svg { --card: #ffffff; --ink: #161a23; --soft: #566073; --rule: #dde1ea;
        --s0: #3b49c4; --s1: #b4510f; --s2: #0b7667; --s3: #a02290; background: var(--card); }
      @media (prefers-color-scheme: dark) { svg { --card: #171b25; --ink: #e8ebf2; --soft: #a0a9ba; --rule: #2b3140;
        --s0: #93a1ff; --s1: #ffa466; --s2: #4fd3bd; --s3: #f08ae0; } }
      text { font: 12px system-ui, "Segoe UI", Roboto, Arial, sans-serif; fill: var(--soft); }
      .end { text-anchor: end; } .middle { text-anchor: middle; }
      .heading { font-weight: 650; font-size: 14px; fill: var(--ink); }
      .grid { stroke: var(--rule); } .base, .tick { stroke: var(--soft); }
      .s0 { color: var(--s0); } .s1 { color: var(--s1); } .s2 { color: var(--s2); } .s3 { color: var(--s3); }
      .mark { fill: currentColor; stroke: var(--card); } .error { stroke: currentColor; stroke-width: 1.4; }
      .front { fill: none; stroke: var(--soft); stroke-width: 1.3; stroke-dasharray: 5 4; }
      .label { fill: var(--ink); font-weight: 600; paint-order: stroke; stroke: var(--card); stroke-width: 3px; }
      """;

  @Test
  void theFigureIsTheTableOfToday() throws IOException {
    Files.writeString(DRAWN, figure(table()).render() + "\n");

    assertThat(FIGURE).as("cp %s %s", DRAWN, FIGURE).hasSameTextualContentAs(DRAWN);
  }

  /** The rows under the heading, without its line and the line below it; and that line first. */
  private static List<List<String>> table() throws IOException {
    return Files.readString(Path.of("src/site/markdown/experiments.md"))
        .lines()
        .dropWhile(line -> !line.equals("## Accuracy for compute"))
        .dropWhile(line -> !line.startsWith("|"))
        .takeWhile(line -> line.startsWith("|"))
        .filter(line -> !line.startsWith("|---"))
        .map(line -> List.of(line.substring(2).split(" \\| ")))
        .toList();
  }

  private static Svg figure(List<List<String>> table) {
    List<List<String>> rows = table.subList(1, table.size());
    Frame frame = Frame.NARROW;
    int height = frame.height + TITLE;
    Svg figure =
        Svg.of("svg")
            .attr("xmlns", "http://www.w3.org/2000/svg")
            .attr("viewBox", "0 0 %s %s".formatted(3 * frame.width, 2 * height))
            .with(style().with(rawHtml(STYLE)));
    for (int i = 0; i < rows.size(); i++) {
      List<ScatterChart.Arm> arms = arms(table.get(0), rows.get(i));
      figure.with(
          Svg.group("panel")
              .attr(
                  "transform",
                  "translate(%s %s)".formatted(i % 3 * frame.width, i / 3 * height + TITLE))
              .with(
                  Svg.text("heading", 2, -6, rows.get(i).get(0) + " images"),
                  new ScatterChart("TFLOPs of training", t -> Numbers.digits(t, 2), arms)
                      .draw(frame)));
    }
    return figure;
  }

  /** Cells of a row that are accuracy ± deviation (TFLOPs), in the order of their columns. */
  private static List<ScatterChart.Arm> arms(List<String> columns, List<String> row) {
    Pattern cell = Pattern.compile("\\**([\\d.]+) ± ([\\d.]+)\\** \\(([\\d.]+)\\)");
    List<ScatterChart.Arm> arms = new ArrayList<>();
    for (int i = 0; i < row.size(); i++) {
      Matcher found = cell.matcher(row.get(i));
      if (found.matches()) {
        arms.add(
            new ScatterChart.Arm(
                columns.get(i).replace("`", ""),
                Mark.of(arms.size()),
                new ScatterChart.Value(Double.parseDouble(found.group(3)), 0),
                new ScatterChart.Value(
                    Double.parseDouble(found.group(1)) / 100,
                    Double.parseDouble(found.group(2)) / 100),
                List.of(),
                false));
      }
    }
    return arms.stream().map(arm -> arm.among(arms)).toList();
  }
}
