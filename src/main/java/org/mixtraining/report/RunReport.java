package org.mixtraining.report;

import static java.util.stream.Collectors.joining;

import j2html.tags.DomContent;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import org.mixtraining.config.KebabCase;
import org.mixtraining.report.ReportHeader.Tile;
import org.mixtraining.report.chart.Numbers;
import org.mixtraining.results.EpochRow;
import org.mixtraining.results.RunRow;
import org.mixtraining.results.WorkerRow;

/** The report of one run. */
public final class RunReport {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm 'UTC'", Locale.ROOT).withZone(ZoneOffset.UTC);

  private RunReport() {}

  /** Makes the report from the run's tables and some of its images. */
  public static Report of(RunFacts facts, Pictures pictures) {
    RunRow run = facts.run();
    List<Section> sections = new ArrayList<>();
    sections.add(setup(facts));
    sections.add(Curves.of(facts));
    sections.add(ScheduleSection.of(facts));
    sections.add(TimeSpent.of(facts));
    sections.add(ClassAccuracy.of(facts));
    sections.add(ConfusionSection.of(facts));
    sections.add(SamplesSection.of(facts, pictures));
    sections.add(CompletionsSection.of(pictures));
    sections.add(FeaturesSection.of(facts));
    sections.add(Provenance.of(run));
    List<DomContent> opening =
        ReportHeader.of(
            "run", run.runId(), ReportHeader.status(run.status()), lead(facts), tiles(facts));
    return new Report("Run " + run.runId() + " · MixTraining", opening, sections);
  }

  // --- opening ---------------------------------------------------------------------------------

  private static List<String> lead(RunFacts facts) {
    RunRow run = facts.run();
    RunRow.Progress progress = run.progress();
    String model =
        "%s with %s parameters, pipeline %s: %s."
            .formatted(
                run.setup().model(),
                Numbers.amount(run.setup().parameters(), ""),
                KebabCase.of(run.setup().pipeline()),
                facts.phases().isEmpty()
                    ? "no epoch has finished"
                    : facts.phases().stream()
                        .map(phase -> phase.epochs() + " " + phase.phase())
                        .collect(joining(" → ", "", " epochs")));
    List<String> lead = new ArrayList<>(List.of(model));
    if (run.error() != null) {
      lead.add("It failed after epoch %s: %s".formatted(progress.epochsDone(), run.error()));
    } else if (Boolean.TRUE.equals(run.stoppedEarly())) {
      lead.add(
          "Early stopping ended it after %s of %s epochs, when its learning rate had fallen to %s of its peak."
              .formatted(
                  progress.epochsDone(), run.setup().epochsPlanned(), fallen(facts.epochs())));
    } else if (run.status() != RunRow.Status.FINISHED) {
      lead.add(
          "%s of %s epochs have finished; the following is about these."
              .formatted(progress.epochsDone(), run.setup().epochsPlanned()));
    }
    return lead;
  }

  /** The last epoch's learning rate as a share of the highest. */
  private static String fallen(List<EpochRow> epochs) {
    double highest = epochs.stream().mapToDouble(EpochRow::learningRateStart).max().orElse(0);
    return epochs.isEmpty()
        ? Numbers.NONE
        : Numbers.percent(epochs.get(epochs.size() - 1).learningRateEnd() / highest);
  }

  private static List<Tile> tiles(RunFacts facts) {
    RunRow.Progress progress = facts.run().progress();
    boolean selected = progress.testAccuracyAtBest() != null;
    return List.of(
        new Tile(
            "Test accuracy",
            Numbers.percent(
                selected ? progress.testAccuracyAtBest() : progress.finalTestAccuracy()),
            selected
                ? "after epoch %s, the best on validation".formatted(progress.bestEpoch())
                : "after the last epoch"),
        new Tile(
            "Validation accuracy",
            Numbers.percent(progress.bestValidationAccuracy()),
            progress.bestEpoch() == null
                ? "not evaluated"
                : "its highest, epoch " + progress.bestEpoch()),
        new Tile(
            "Time",
            Numbers.time(progress.seconds()),
            Numbers.time(progress.deviceSeconds()) + " on devices"),
        new Tile(
            "Compute",
            Numbers.amount(progress.flops(), "FLOP"),
            "of training, by formula; evaluation " + Numbers.flops(progress.evaluationFlops())),
        new Tile(
            "Images",
            Numbers.amount(progress.images(), ""),
            "trained on, in %s epochs".formatted(progress.epochsDone())));
  }

  // --- what ran, and on what -------------------------------------------------------------------

  private static Section setup(RunFacts facts) {
    RunRow run = facts.run();
    Map<String, String> what = new LinkedHashMap<>();
    what.put("Pipeline", KebabCase.of(run.setup().pipeline()));
    what.put("Model", run.setup().model());
    what.put("Parameters", Numbers.count(run.setup().parameters()));
    what.put("Dataset", run.setup().datasetPath());
    what.put(
        "Images an epoch, at most",
        Numbers.count(
            facts.epochs().stream().mapToLong(epoch -> epoch.cost().images()).max().orElse(0)));
    what.put("Seed", String.valueOf(run.setup().seed()));
    Map<String, String> where = new LinkedHashMap<>();
    where.put("Workers", String.valueOf(run.setup().workers()));
    where.put("Devices", distinct(facts, WorkerRow::device));
    where.put("Hosts", distinct(facts, WorkerRow::host));
    where.put("Started", TIME.format(run.started()));
    where.put("Ended", run.ended() == null ? Numbers.NONE : TIME.format(run.ended()));
    where.put(
        "Software",
        "MixTraining %s, Spark %s"
            .formatted(run.versions().jobVersion(), run.versions().sparkVersion()));
    return Section.of(
        "setup",
        "Configuration and hardware",
        Card.side(
            Card.of("Configuration", "", Card.facts(what)),
            Card.of("Hardware", "", Card.facts(where))));
  }

  private static String distinct(RunFacts facts, Function<WorkerRow, String> value) {
    List<String> values = facts.workers().stream().map(value).distinct().toList();
    int shown = Math.min(values.size(), 4);
    return values.isEmpty()
        ? Numbers.NONE
        : String.join(", ", values.subList(0, shown))
            + (values.size() > shown ? " and %s more".formatted(values.size() - shown) : "");
  }
}
