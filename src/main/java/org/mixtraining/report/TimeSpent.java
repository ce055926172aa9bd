package org.mixtraining.report;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.toList;

import j2html.tags.DomContent;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.mixtraining.report.StackedBars.Bar;
import org.mixtraining.results.EpochRow;
import org.mixtraining.results.WorkerRow;

/** Where the time went: by epoch, by phase, and by worker. */
final class TimeSpent {
  private static final List<String> PARTS =
      List.of(
          "training steps", "waiting for data", "exchanging the state", "evaluation", "the rest");

  /** Rows and columns of the matrix of workers and epochs, at most. */
  private static final int WORKERS = 24;

  private static final int COLUMNS = 30;

  private TimeSpent() {}

  static Section of(RunFacts facts) {
    if (facts.epochs().isEmpty()) {
      return Section.missing("time", "Where the time went", "No epoch of this run has finished.");
    }
    List<Bar> bars = facts.epochs().stream().map(TimeSpent::bar).toList();
    return Section.of(
        "time",
        "Where the time went",
        List.of(Card.side(List.of(byEpoch(bars), byPhase(facts))), byWorker(facts.workers())));
  }

  // --- epochs and phases -----------------------------------------------------------------------

  private static Bar bar(EpochRow epoch) {
    EpochRow.Cost cost = epoch.cost();
    double known =
        cost.computeSeconds() + cost.waitSeconds() + cost.syncSeconds() + cost.evaluationSeconds();
    return new Bar(
        epoch.epoch(),
        List.of(
            cost.computeSeconds(),
            cost.waitSeconds(),
            cost.syncSeconds(),
            cost.evaluationSeconds(),
            Math.max(0, cost.seconds() - known)));
  }

  private static DomContent byEpoch(List<Bar> bars) {
    double all = bars.stream().mapToDouble(Bar::sum).sum();
    List<String> shares =
        IntStream.range(0, PARTS.size())
            .mapToObj(
                part ->
                    "%s %s"
                        .formatted(
                            Numbers.percent(
                                bars.stream().mapToDouble(b -> b.values().get(part)).sum() / all),
                            PARTS.get(part)))
            .toList();
    List<Grid.Column<Bar>> columns = new ArrayList<>();
    columns.add(Grid.number("epoch", bar -> String.valueOf(bar.epoch())));
    for (int part = 0; part < PARTS.size(); part++) {
      int at = part;
      columns.add(Grid.number(PARTS.get(at), bar -> Numbers.time(bar.values().get(at))));
    }
    columns.add(Grid.number("all", bar -> Numbers.time(bar.sum())));
    return new Figure(
            "epoch-time",
            "By epoch",
            "Of %s: %s. Training and waiting are those of the slowest worker; the rest is starting tasks and writing results."
                .formatted(Numbers.time(all), String.join(", ", shares)),
            new StackedBars("seconds", PARTS, bars),
            new Grid<>("Time by epoch", columns, bars))
        .html();
  }

  private static DomContent byPhase(RunFacts facts) {
    return Card.of(
        "By phase",
        "Device time is summed over workers.",
        new Grid<>(
                "Cost by phase",
                List.of(
                    Grid.<RunFacts.PhaseCost>name("phase", p -> p.phase().name()),
                    Grid.number("epochs", p -> Numbers.count(p.epochs())),
                    Grid.number("images", p -> Numbers.count(p.images())),
                    Grid.number("time", p -> Numbers.time(p.seconds())),
                    Grid.number("an epoch", p -> Numbers.time(p.seconds() / p.epochs())),
                    Grid.number("on devices", p -> Numbers.time(p.deviceSeconds())),
                    Grid.number("compute", p -> Numbers.amount(p.flops(), "FLOP"))),
                facts.phases())
            .html());
  }

  // --- workers ---------------------------------------------------------------------------------

  private record Share(int worker, List<WorkerRow> rows) {

    double seconds() {
      return rows.stream().mapToDouble(WorkerRow::seconds).sum();
    }

    double waiting() {
      return rows.stream().mapToDouble(WorkerRow::waitSeconds).sum();
    }

    long images() {
      return rows.stream().mapToLong(WorkerRow::images).sum();
    }

    long repeats() {
      return rows.stream().filter(row -> row.attempt() > 0).count();
    }

    String places() {
      return String.join(
          ", ", rows.stream().map(row -> row.host() + "/" + row.executor()).distinct().toList());
    }

    Double peak() {
      var peak =
          rows.stream()
              .filter(row -> row.peakRssBytes() != null)
              .mapToLong(WorkerRow::peakRssBytes)
              .max();
      return peak.isPresent() ? Double.valueOf(peak.getAsLong()) : null;
    }
  }

  private static DomContent byWorker(List<WorkerRow> rows) {
    List<Share> shares =
        rows.stream()
            .collect(groupingBy(WorkerRow::worker, TreeMap::new, toList()))
            .entrySet()
            .stream()
            .map(entry -> new Share(entry.getKey(), entry.getValue()))
            .toList();
    List<Share> slowest =
        shares.stream()
            .sorted(Comparator.comparingDouble(Share::seconds).reversed())
            .limit(WORKERS)
            .sorted(Comparator.comparingInt(Share::worker))
            .toList();
    String shown =
        slowest.size() < shares.size()
            ? " The %d slowest of %d workers are shown.".formatted(slowest.size(), shares.size())
            : "";
    return Card.of(
        "By worker",
        "Seconds that each worker held its device in each epoch, the longer the darker; an outline marks more than a tenth of them spent waiting for data."
            + shown,
        matrix(slowest),
        new Grid<>(
                "Workers",
                List.of(
                    Grid.<Share>number("worker", s -> String.valueOf(s.worker)),
                    Grid.name("host/executor", Share::places),
                    Grid.name("device", s -> s.rows.get(0).device()),
                    Grid.number("images", s -> Numbers.count(s.images())),
                    Grid.number("on its device", s -> Numbers.time(s.seconds())),
                    Grid.number("images/s", s -> Numbers.digits(s.images() / s.seconds(), 3)),
                    Grid.number("waiting", s -> Numbers.percent(s.waiting() / s.seconds())),
                    Grid.number(
                        "peak memory",
                        s -> s.peak() == null ? Numbers.NONE : Numbers.amount(s.peak(), "B")),
                    Grid.number("repeated epochs", s -> String.valueOf(s.repeats()))),
                slowest)
            .html());
  }

  /** Workers by epochs; of many epochs the mean of some that follow each other. */
  private static DomContent matrix(List<Share> shares) {
    int epochs =
        shares.stream().flatMap(s -> s.rows.stream()).mapToInt(WorkerRow::epoch).max().orElse(0);
    int together = (epochs + COLUMNS - 1) / COLUMNS;
    double longest =
        shares.stream()
            .flatMap(s -> s.rows.stream())
            .mapToDouble(WorkerRow::seconds)
            .max()
            .orElse(1);
    List<Integer> firsts =
        IntStream.iterate(1, first -> first <= epochs, first -> first + together).boxed().toList();
    return new HeatGrid(
            "Seconds by worker and epoch",
            "worker \\ epoch",
            firsts.stream()
                .map(
                    first ->
                        together == 1
                            ? "" + first
                            : first + "–" + Math.min(epochs, first + together - 1))
                .toList(),
            shares.stream()
                .map(
                    share ->
                        new HeatGrid.Row(
                            String.valueOf(share.worker),
                            firsts.stream()
                                .map(first -> cell(share, first, first + together, longest))
                                .toList()))
                .toList())
        .html();
  }

  private static HeatGrid.Cell cell(Share share, int from, int until, double longest) {
    List<WorkerRow> rows =
        share.rows.stream().filter(row -> row.epoch() >= from && row.epoch() < until).toList();
    if (rows.isEmpty()) {
      return HeatGrid.Cell.EMPTY;
    }
    double seconds = rows.stream().mapToDouble(WorkerRow::seconds).average().orElse(0);
    double waiting = rows.stream().mapToDouble(WorkerRow::waitSeconds).average().orElse(0);
    return new HeatGrid.Cell(
        String.format(Locale.ROOT, seconds < 9.95 ? "%.1f" : "%.0f", seconds),
        seconds / longest,
        "worker %d, from epoch %d: %s an epoch, %s of them waiting for data"
            .formatted(share.worker, from, Numbers.time(seconds), Numbers.time(waiting)),
        waiting > seconds / 10);
  }
}
