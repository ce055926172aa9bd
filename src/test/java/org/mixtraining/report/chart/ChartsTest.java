package org.mixtraining.report.chart;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.mixtraining.report.chart.LineChart.Line;
import org.mixtraining.report.chart.LineChart.Point;
import org.mixtraining.report.chart.ScatterChart.Arm;
import org.mixtraining.report.chart.ScatterChart.Run;
import org.mixtraining.report.chart.ScatterChart.Value;
import org.mixtraining.report.chart.StackedBars.Bar;
import org.mixtraining.schedule.Phase;

class ChartsTest {
  private static final PhaseShading BANDS =
      new PhaseShading(
          List.of(new PhaseShading.Band(Phase.SSL, 1, 2), new PhaseShading.Band(Phase.MIX, 3, 4)));

  private static List<MatchResult> all(String pattern, String text) {
    return Pattern.compile(pattern).matcher(text).results().toList();
  }

  private static double number(MatchResult match, int group) {
    return Double.parseDouble(match.group(group));
  }

  @Test
  void aLinePassesThroughItsPoints() {
    Frame frame = Frame.WIDE;
    LineChart chart =
        new LineChart(
            "epoch",
            "accuracy",
            Numbers::share,
            List.of(new Line("test", Mark.CIRCLE, List.of(new Point(3, 0), new Point(4, 0.5)))),
            BANDS,
            new LineChart.Level("guessing", 0.25));

    String svg = chart.draw(frame).render();

    // Four epochs side by side, from 0 to 50 %.
    double epoch = (frame.right() - frame.left()) / 4;
    MatchResult line =
        all("class=\"line s0\" d=\"M([0-9.]+) ([0-9.]+)L([0-9.]+) ([0-9.]+)\"", svg).get(0);
    assertThat(number(line, 1)).isCloseTo(frame.left() + 2.5 * epoch, offset(0.06));
    assertThat(number(line, 2)).isCloseTo(frame.bottom(), offset(0.06));
    assertThat(number(line, 3)).isCloseTo(frame.left() + 3.5 * epoch, offset(0.06));
    assertThat(number(line, 4)).isCloseTo(frame.top(), offset(0.06));
    assertThat(svg).contains("guessing", "<title>test, epoch 4: 50\u00a0%</title>");
  }

  @Test
  void phasesAreShadedFromEdgeToEdgeAndMixIsHatched() {
    Frame frame = Frame.NARROW;

    String svg = BANDS.draw(frame, frame.x(new Range(0.5, 4.5))).render();

    List<MatchResult> bands =
        all("class=\"band (\\w+)\" x=\"([0-9.]+)\" y=\"[0-9.]+\" width=\"([0-9.]+)\"", svg);
    assertThat(bands).extracting(band -> band.group(1)).containsExactly("ssl", "mix");
    assertThat(number(bands.get(0), 2)).isCloseTo(frame.left(), offset(0.06));
    assertThat(number(bands.get(0), 2) + number(bands.get(0), 3))
        .isCloseTo(number(bands.get(1), 2), offset(0.11));
    assertThat(number(bands.get(1), 2) + number(bands.get(1), 3))
        .isCloseTo(frame.right(), offset(0.11));
    assertThat(all("class=\"hatched\"", svg)).hasSize(1);
    assertThat(BANDS.describe()).isEqualTo("SSL in epochs 1 to 2, MIX in epochs 3 to 4");
  }

  @Test
  void ofManyPointsSomeHaveAShapeAndTheLastAlways() {
    List<Point> points = IntStream.rangeClosed(1, 300).mapToObj(i -> new Point(i, i)).toList();
    LineChart chart =
        new LineChart(
            "step",
            "",
            String::valueOf,
            List.of(new Line("a", Mark.SQUARE, points)),
            new PhaseShading(List.of()),
            null);

    String svg = chart.draw(Frame.WIDE).render();

    assertThat(all("class=\"mark", svg)).hasSizeBetween(20, 26);
    assertThat(svg).contains("a, step 300: 300");
  }

  @Test
  void theHeightsOfABarsPartsAddUpToTheBar() {
    Frame frame = Frame.WIDE;
    StackedBars chart =
        new StackedBars(
            "seconds",
            List.of("a", "b", "c"),
            List.of(new Bar(1, List.of(10.0, 0.0, 30.0)), new Bar(2, List.of(5.0, 5.0, 10.0))));

    String svg = chart.draw(frame).render();

    List<MatchResult> parts = all("class=\"p\\d\"[^>]* height=\"([0-9.]+)\"", svg);
    assertThat(parts).as("a part of nothing is not drawn").hasSize(5);
    double first = number(parts.get(0), 1) + number(parts.get(1), 1);
    double second = number(parts.get(2), 1) + number(parts.get(3), 1) + number(parts.get(4), 1);
    assertThat(first).isCloseTo(frame.bottom() - frame.top(), offset(0.2));
    assertThat(second).isCloseTo(first / 2, offset(0.2));
    assertThat(svg).contains("epoch 1: 30\u00a0s of 40\u00a0s, c");
    assertThat(chart.legend()).extracting(Chart.Key::name).containsExactly("a", "b", "c");
  }

  private static Arm arm(String name, double cost, double accuracy) {
    return new Arm(
        name,
        Mark.CIRCLE,
        new Value(cost, 1),
        new Value(accuracy, 0.05),
        List.of(new Run(cost - 1, accuracy), new Run(cost + 1, accuracy)),
        false);
  }

  @Test
  void anArmIsBestIfNoOtherIsBothAsAccurateAndAsCheap() {
    List<Arm> arms = List.of(arm("cheap", 10, 0.5), arm("good", 20, 0.6), arm("poor", 20, 0.55));

    assertThat(arms).extracting(arm -> arm.among(arms).best()).containsExactly(true, true, false);
    assertThat(List.of(arms.get(0), arms.get(0)))
        .as("equals do not beat each other")
        .allMatch(arm -> arm.among(List.of(arms.get(0), arms.get(0))).best());
  }

  @Test
  void errorBarsReachOneDeviationUpAndDown() {
    Frame frame = Frame.WIDE;
    // From 50 to 60 %: the bars' ends are the axis' ends.
    ScatterChart chart =
        new ScatterChart("s", Numbers::time, List.of(arm("a", 10, 0.55).among(List.of())));

    String svg = chart.draw(frame).render();

    MatchResult upright =
        all(
                "class=\"error\" x1=\"([0-9.]+)\" y1=\"([0-9.]+)\" x2=\"([0-9.]+)\" y2=\"([0-9.]+)\"",
                svg)
            .get(0);
    assertThat(number(upright, 1)).isEqualTo(number(upright, 3));
    assertThat(number(upright, 2)).isCloseTo(frame.top(), offset(0.1));
    assertThat(number(upright, 4)).isCloseTo(frame.bottom(), offset(0.1));
    assertThat(all("class=\"run\"", svg)).hasSize(2);
    assertThat(all("class=\"front\" d=\"M[^\"]+H", svg)).hasSize(1);
  }

  @Test
  void namesOfArmsThatLieTogetherDoNotCoverEachOther() {
    List<Arm> arms =
        List.of(arm("mixed", 10, 0.55), arm("mixing", 10.01, 0.5501), arm("mixer", 10.02, 0.5499));

    String svg = new ScatterChart("s", Numbers::time, arms).draw(Frame.NARROW).render();

    List<MatchResult> labels = all("class=\"label\" x=\"([0-9.]+)\" y=\"([0-9.]+)\"", svg);
    assertThat(labels).hasSize(3);
    for (MatchResult one : labels) {
      assertThat(labels)
          .filteredOn(other -> other != one)
          .allMatch(
              other ->
                  Math.abs(number(one, 1) - number(other, 1)) > 40
                      || Math.abs(number(one, 2) - number(other, 2)) >= 14);
    }
  }
}
