package org.mixtraining.report;

import static j2html.TagCreator.span;

import j2html.tags.DomContent;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.mixtraining.report.ComparisonFacts.ArmResult;
import org.mixtraining.report.ComparisonFacts.ArmRun;
import org.mixtraining.report.ReportHeader.Tile;
import org.mixtraining.report.chart.Grid;
import org.mixtraining.report.chart.Numbers;
import org.mixtraining.results.RunRow;

/** The report of one comparison. */
public final class ComparisonReport {

  private ComparisonReport() {}

  /** Compares the arms of a comparison. */
  public static Report of(ComparisonFacts facts) {
    List<Section> sections =
        List.of(
            summary(facts),
            TradeOff.of(facts),
            DataSizeSection.of(facts),
            settings(facts),
            runs(facts),
            provenance(facts));
    List<DomContent> opening =
        ReportHeader.of("comparison", facts.name(), status(facts), lead(facts), tiles(facts));
    return new Report("Comparison " + facts.name() + " · MixTraining", opening, sections);
  }

  // --- opening ---------------------------------------------------------------------------------

  private static DomContent status(ComparisonFacts facts) {
    boolean whole = facts.finished() == facts.runs().size();
    return span("%s%s of %s runs finished"
            .formatted(whole ? "✓ " : "▶ ", facts.finished(), facts.runs().size()))
        .withClasses("status", whole ? "finished" : "running");
  }

  private static List<String> lead(ComparisonFacts facts) {
    return List.of(
        "%s arms in %s settings: %s. Gains are relative to %s, seed by seed, with their 95 %% confidence intervals; accuracy is on test images, of the model that is best on validation. Choose between arms by their accuracy on validation images: test images that were used for a choice give a biased estimate."
            .formatted(
                facts.armNames().size(),
                facts.places().size(),
                String.join(", ", facts.armNames()),
                facts.baseline()));
  }

  private static List<Tile> tiles(ComparisonFacts facts) {
    List<Tile> tiles = new ArrayList<>();
    List<ArmSummary> byGain =
        tallies(facts).stream()
            .sorted(
                Comparator.comparing(
                    ArmSummary::gain, Comparator.nullsLast(Comparator.reverseOrder())))
            .toList();
    for (ArmSummary tally : byGain) {
      if (!tally.arm().equals(facts.baseline())) {
        tiles.add(
            new Tile(
                tally.arm(),
                Numbers.points(tally.gain()) + " points",
                "%s the time of %s; ahead on both in %s of %s"
                    .formatted(
                        tally.faster() == null
                            ? "unknown times"
                            : Numbers.digits(1 / tally.faster(), 2) + "×",
                        facts.baseline(),
                        tally.ahead(),
                        tally.settings())));
      }
    }
    return tiles;
  }

  // --- arms ------------------------------------------------------------------------------------

  private static List<ArmSummary> tallies(ComparisonFacts facts) {
    return facts.arms().stream()
        .collect(Collectors.groupingBy(ArmResult::arm, LinkedHashMap::new, Collectors.toList()))
        .entrySet()
        .stream()
        .map(entry -> ArmSummary.of(entry.getKey(), entry.getValue()))
        .sorted(Comparator.comparing(ArmSummary::arm))
        .toList();
  }

  private static Section summary(ComparisonFacts facts) {
    return Section.of(
        "arms",
        "The arms",
        Card.of(
            "Over all settings",
            "Accuracy differences in percentage points are means, time ratios are geometric means. Ahead: more accurate in less time than %s. Best: no other arm of the setting is both as accurate and as cheap."
                .formatted(facts.baseline()),
            Grid.html(
                "Arms over all settings",
                tallies(facts),
                Grid.name("arm", ArmSummary::arm),
                Grid.<ArmSummary>number("settings", t -> Numbers.count(t.settings())),
                Grid.number("points", t -> Numbers.points(t.gain())),
                Grid.number("faster", t -> Numbers.times(t.faster())),
                Grid.number("less compute", t -> Numbers.times(t.fewer())),
                Grid.number("more accurate in", t -> Numbers.count(t.accurate())),
                Grid.number("ahead in", t -> Numbers.count(t.ahead())),
                Grid.number("best in", t -> Numbers.count(t.best())))),
        ArmsApart.of(facts));
  }

  // --- settings and runs -----------------------------------------------------------------------

  private static Section settings(ComparisonFacts facts) {
    List<DomContent> cards =
        facts.places().stream()
            .map(
                place ->
                    Card.of(
                        place.title(),
                        "",
                        grid(
                            place.title(),
                            facts.arms().stream()
                                .filter(arm -> arm.place().equals(place))
                                .toList())))
            .toList();
    return Section.of("settings", "Every setting", cards);
  }

  private static DomContent grid(String caption, List<ArmResult> arms) {
    return Grid.html(
        caption,
        arms,
        Grid.name("arm", ArmResult::arm),
        Grid.<ArmResult>number("runs", a -> a.runs() + "/" + a.planned()),
        Grid.number("validation", a -> Numbers.percent(a.validationAccuracy())),
        Grid.number("test accuracy", a -> Numbers.percent(a.accuracy(), a.accuracyDeviation())),
        Grid.number("on devices", a -> Numbers.time(a.deviceSeconds())),
        Grid.number("compute", a -> Numbers.flops(a.flops())),
        Grid.number("evaluation compute", a -> Numbers.flops(a.evaluationFlops())),
        Grid.number("points", a -> Numbers.points(a.gain(), a.gainMargin())),
        Grid.number("faster", a -> Numbers.times(a.timesCheaper())),
        Grid.number("less compute", a -> Numbers.times(a.timesFewerFlops())),
        Grid.name("ahead", a -> yes(a.ahead())),
        Grid.name("best", a -> yes(a.pareto())));
  }

  private static String yes(Boolean value) {
    return Boolean.TRUE.equals(value) ? "✓ yes" : "no";
  }

  private static Section runs(ComparisonFacts facts) {
    return Section.of(
        "runs",
        "Every run",
        Card.of(
            "Runs",
            "submit/mixtraining report --run ID gives the full report of one run.",
            Grid.html(
                "Runs",
                facts.runs(),
                Grid.name("run", ArmRun::runId),
                Grid.name("arm", ArmRun::arm),
                Grid.<ArmRun>name("setting", r -> r.place().title()),
                Grid.number("seed", r -> r.seed() == null ? Numbers.NONE : r.seed().toString()),
                Grid.name("status", ArmRun::status),
                Grid.number("test accuracy", r -> Numbers.percent(r.accuracy())),
                Grid.number("on devices", r -> Numbers.time(r.deviceSeconds())))));
  }

  // --- provenance ------------------------------------------------------------------------------

  private static Section provenance(ComparisonFacts facts) {
    if (facts.recorded().isEmpty()) {
      return Section.missing("provenance", "Provenance", "No run of the comparison has started.");
    }
    Map<String, String> origin = new LinkedHashMap<>();
    origin.put("Comparison", facts.name());
    origin.put("MixTraining", distinct(facts, run -> run.versions().jobVersion()));
    origin.put("Spark", distinct(facts, run -> run.versions().sparkVersion()));
    origin.put("Deeplearning4j", distinct(facts, run -> run.versions().dl4jVersion()));
    origin.put("Java", distinct(facts, run -> run.versions().javaVersion()));
    origin.put("Datasets", distinct(facts, run -> run.setup().datasetPath()));
    origin.put("Fingerprints", distinct(facts, run -> run.setup().datasetFingerprint()));
    origin.put("Workers a run", distinct(facts, run -> String.valueOf(run.setup().workers())));
    return Section.of(
        "provenance",
        "Provenance",
        Card.of("Where it comes from", "", Card.facts(origin)),
        RecordedConfigurations.of(facts.recorded()));
  }

  private static String distinct(ComparisonFacts facts, Function<RunRow, String> value) {
    return facts.recorded().stream().map(value).distinct().collect(Collectors.joining(", "));
  }
}
