package org.mixtraining.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.mixtraining.config.JobConfig;
import org.mixtraining.results.RunRow;

class ReportTest {
  private static final Report RUN =
      RunReport.of(ReportFixtures.finished(10), ReportFixtures.pictures());

  static Stream<Report> reports() {
    return Stream.of(
        RUN,
        RunReport.of(ReportFixtures.finished(120), ReportFixtures.noPictures()),
        RunReport.of(ReportFixtures.begun(), ReportFixtures.noPictures()),
        ComparisonReport.of(ReportFixtures.comparison()));
  }

  private static List<String> all(String pattern, String text) {
    return Pattern.compile(pattern).matcher(text).results().map(match -> match.group(1)).toList();
  }

  @ParameterizedTest
  @MethodSource("reports")
  void noTextBecomesMarkup(Report report) {
    String html = report.render();

    assertThat(html)
        .doesNotContain("<script", "</style> &", "alert('1')")
        .contains("&lt;script&gt;alert(&#x27;1&#x27;)&lt;/script&gt; &amp; &quot;quoted&quot;");
  }

  @ParameterizedTest
  @MethodSource("reports")
  void nothingLeadsOutOfTheFile(Report report) {
    String html = report.render();

    assertThat(html.toLowerCase(Locale.ROOT))
        .doesNotContain("http:", "https:", "@import", "src=\"//");
    assertThat(all("src=\"([^\"]*)\"", html))
        .allMatch(src -> src.startsWith("data:image/png;base64,"));
    assertThat(all("href=\"([^\"]*)\"", html))
        .allMatch(href -> href.startsWith("#") || href.equals("data:,"));
    assertThat(all("url\\(([^)]*)\\)", html)).allMatch(url -> url.startsWith("#"));
    assertThat(html).contains("Content-Security-Policy\" content=\"default-src &#x27;none&#x27;");
  }

  @ParameterizedTest
  @MethodSource("reports")
  void idsAreUniqueAndEveryReferenceLeadsToOne(Report report) {
    String html = report.render();

    List<String> ids = all(" id=\"([^\"]*)\"", html);
    Set<String> distinct = new HashSet<>(ids);
    assertThat(ids).hasSameSizeAs(distinct);
    assertThat(distinct)
        .containsAll(all("href=\"#([^\"]+)\"", html))
        .containsAll(all("aria-labelledby=\"([^\"]+)\"", html))
        .containsAll(all("aria-describedby=\"([^\"]+)\"", html))
        .containsAll(all("url\\(#([^)]+)\\)", html));
  }

  @ParameterizedTest
  @MethodSource("reports")
  void everyPictureIsToldInWordsAndEveryChartInATable(Report report) {
    String html = report.render();

    assertThat(all("(<img [^>]*>)", html)).allMatch(img -> img.matches(".* alt=\"[^\"]+\".*"));
    assertThat(all("(<svg [^>]*>)", html))
        .allMatch(svg -> svg.contains("aria-hidden=\"true\"") || svg.contains("role=\"img\""));
    List<String> figures = all("(?s)(<figure .*?</figure>)", html);
    assertThat(figures)
        .allMatch(figure -> figure.contains("<table>") && figure.contains("<ul class=\"legend\">"));
    assertThat(all("(<t[dh][^>]*>NaN|<t[dh][^>]*>null|>null<|NaN)", html)).isEmpty();
  }

  @Test
  void aFinishedRunIsToldInFull() {
    assertThat(RUN.omissions()).isEmpty();
    assertThat(RUN.sectionIds())
        .containsExactly(
            "setup",
            "curves",
            "schedule",
            "time",
            "classes",
            "confusion",
            "samples",
            "reconstructions",
            "features",
            "provenance");
    assertThat(RUN.render())
        .contains("45.0\u00a0%", "after epoch 5, the best on validation", "5ha256", "f00d")
        .contains("Guessing would give 10.0\u00a0%", "✓ &lt;script&gt;", ", is class 1")
        .contains("run.id=noon-again");
  }

  private static RunRow row(String id, boolean stoppedEarly, String... settings) {
    RunRow r = ReportFixtures.finished(2).run();
    RunRow.Setup s = r.setup();
    String config = JobConfig.load(Optional.empty(), List.of(settings)).canonical();
    return new RunRow(
        id,
        r.status(),
        r.started(),
        r.ended(),
        r.error(),
        new RunRow.Setup(
            s.pipeline(),
            s.model(),
            s.parameters(),
            s.seed(),
            s.workers(),
            s.epochsPlanned(),
            s.datasetPath(),
            s.datasetFingerprint(),
            s.sslFingerprint(),
            config),
        r.versions(),
        r.progress(),
        r.stateSha256(),
        stoppedEarly);
  }

  @Test
  void aRunThatEndedEarlySaysHowFarItsLearningRateHadFallen() {
    RunFacts f = ReportFixtures.finished(2);
    RunFacts early =
        new RunFacts(
            row("noon", true),
            f.epochs(),
            f.workers(),
            f.phases(),
            f.classes(),
            f.confusion(),
            f.samples(),
            f.features());

    assertThat(RunReport.of(early, ReportFixtures.pictures()).render())
        .contains(
            "Early stopping ended it after 6 of 6 epochs, when its learning rate had fallen to 14.3\u00a0% of its peak.")
        .contains("500\u00a0GFLOP");
  }

  @Test
  void aComparisonTellsEveryKeyThatArmsDifferIn() {
    ComparisonFacts c = ReportFixtures.comparison();
    ComparisonFacts apart =
        new ComparisonFacts(
            c.name(),
            c.arms(),
            c.runs(),
            List.of(
                row("mix0", false, "mix.pass=corrupted", "data.path=a", "run.seed=1"),
                row("ssl-sl0", false, "data.path=b")));

    assertThat(ComparisonReport.of(apart).render().replaceAll("<[^>]*>", "|"))
        .contains("|mix.mask-ratio||constant(0.75)||linear(0.75-&gt;0)|")
        .contains("|mix.pass||corrupted||visible|")
        .doesNotContain("|data.path||a||b|", "|run.seed||1||0|");
  }

  @Test
  void whatIsNotThereIsSaidAndListed() {
    Report begun = RunReport.of(ReportFixtures.begun(), ReportFixtures.noPictures());

    assertThat(begun.omissions())
        .extracting(Report.Omission::section)
        .containsExactly(
            "curves",
            "schedule",
            "time",
            "classes",
            "confusion",
            "samples",
            "reconstructions",
            "features");
    assertThat(begun.render())
        .contains("It failed after epoch 0", "No epoch of this run has finished.", "no decoder")
        .contains("<span>failed</span>");
    assertThat(RunReport.of(ReportFixtures.finished(3), ReportFixtures.noPictures()).omissions())
        .contains(new Report.Omission("samples", "data.path: gone"));
  }

  @Test
  void ofManyClassesTheBestTheWorstAndTheMostConfusedAreShown() {
    String html = RunReport.of(ReportFixtures.finished(120), ReportFixtures.noPictures()).render();

    assertThat(html)
        .contains("The 10 best classes", "The 10 worst classes", "All 120 classes")
        .contains("A matrix of 120 classes would be unreadable")
        .doesNotContain("Confusion matrix");
  }

  @Test
  void aComparisonTellsGainsCostsAndWhatIsLeft() {
    Report report = ComparisonReport.of(ReportFixtures.comparison());

    assertThat(report.omissions()).isEmpty();
    assertThat(report.render())
        .contains("8 of 9 runs finished", "+6.3 points", "0.67× the time of ssl-sl")
        .contains("25\u00a0% of the images", "not begun", "50.0 ± 1.0\u00a0%", "+10.0 ± 3.0");
  }
}
