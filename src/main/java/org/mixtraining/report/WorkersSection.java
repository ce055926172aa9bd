package org.mixtraining.report;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.toList;

import j2html.tags.DomContent;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.mixtraining.report.chart.Grid;
import org.mixtraining.report.chart.HeatGrid;
import org.mixtraining.report.chart.Numbers;
import org.mixtraining.results.WorkerRow;

/** The section about workers: their work and time by epoch. */
final class WorkersSection {
  /** Largest numbers of rows and columns in the matrix of workers and epochs. */
  private static final int WORKERS = 24;

  private static final int COLUMNS = 30;

  private WorkersSection() {}

  /** A worker's part of the run. */
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

    String peak() {
      return rows.stream()
          .map(WorkerRow::peakRssBytes)
          .filter(Objects::nonNull)
          .max(Comparator.naturalOrder())
          .map(bytes -> Numbers.amount(bytes, "B"))
          .orElse(Numbers.NONE);
    }
  }

  static DomContent of(List<WorkerRow> rows) {
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
            ? " The %s slowest of %s workers are shown.".formatted(slowest.size(), shares.size())
            : "";
    return Card.of(
        "By worker",
        "Seconds that each worker held its device in each epoch; darker is longer. Outlined cells spent more than a tenth of that time waiting for data."
            + shown,
        matrix(slowest),
        Grid.html(
            "Workers",
            slowest,
            Grid.<Share>number("worker", s -> String.valueOf(s.worker)),
            Grid.name("host/executor", Share::places),
            Grid.name("device", s -> s.rows.get(0).device()),
            Grid.number("images", s -> Numbers.count(s.images())),
            Grid.number("on its device", s -> Numbers.time(s.seconds())),
            Grid.number("images/s", s -> Numbers.digits(s.images() / s.seconds(), 3)),
            Grid.number("waiting", s -> Numbers.percent(s.waiting() / s.seconds())),
            Grid.number("peak memory", Share::peak),
            Grid.number("repeated epochs", s -> String.valueOf(s.repeats()))));
  }

  /** Workers by epochs; many epochs are averaged in groups of consecutive ones. */
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
        "worker %s, from epoch %s: %s an epoch, %s of them waiting for data"
            .formatted(share.worker, from, Numbers.time(seconds), Numbers.time(waiting)),
        waiting > seconds / 10);
  }
}
