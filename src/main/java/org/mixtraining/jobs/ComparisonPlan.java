package org.mixtraining.jobs;

import static java.util.stream.Collectors.counting;
import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.joining;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.mixtraining.config.Comparison;
import org.mixtraining.config.KebabCase;
import org.mixtraining.config.UserException;
import org.mixtraining.config.hocon.ConfigDiff;
import org.mixtraining.results.QueryResult;
import org.mixtraining.results.QueryResult.Heading;
import org.mixtraining.results.RunRow;
import org.mixtraining.results.RunRow.Progress;
import org.mixtraining.results.Tables;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.schedule.MixSchedule;
import org.mixtraining.schedule.Objective;
import org.mixtraining.spark.PlannedWork;

/**
 * The plan of a comparison: its runs with their status, and the estimated cost of the unfinished
 * ones.
 *
 * @param runs in the order in which they are trained
 */
public record ComparisonPlan(Comparison comparison, List<ComparisonPlan.Item> runs) {

  /**
   * A run.
   *
   * @param recorded how it stands, if it was begun
   * @param flops of its whole schedule; unknown while its dataset is not prepared
   */
  public record Item(
      Comparison.Run run, Optional<RunRow> recorded, Optional<PlannedWork.Flops> flops) {

    boolean finished() {
      return recorded.filter(row -> row.status() == RunRow.Status.FINISHED).isPresent();
    }

    private Progress progress() {
      return recorded.orElseThrow().progress();
    }
  }

  /**
   * @throws UserException if runs were begun with other configurations, or trained on other images,
   *     with a line for every key
   */
  public static ComparisonPlan of(Comparison comparison, Configuration hadoop, Tables tables) {
    List<Item> items = new ArrayList<>();
    Set<String> problems = new LinkedHashSet<>();
    for (Comparison.Run run : comparison.runs()) {
      Optional<RunRow> recorded = tables.run(run.id());
      recorded
          .map(row -> ConfigDiff.forbidden(row.setup().config(), run.config().canonical()))
          .orElse(List.of())
          .forEach(change -> problems.add("run %s: %s".formatted(run.id(), change)));
      recorded
          .filter(row -> row.status() == RunRow.Status.FINISHED)
          .map(row -> RecordedData.problems(hadoop, run.config(), row.setup()))
          .orElse(List.of())
          .forEach(problem -> problems.add("run %s: %s".formatted(run.id(), problem)));
      items.add(new Item(run, recorded, PlannedWork.flops(hadoop, run.config())));
    }
    UserException.throwAny(
        problems,
        "mixtraining.compare.name = %s: these runs started with other values or images; restore those, or choose another name for the comparison"
            .formatted(comparison.name()));
    return new ComparisonPlan(comparison, List.copyOf(items));
  }

  /** What is not finished. */
  public List<Comparison.Run> left() {
    return items(false).map(Item::run).toList();
  }

  private Stream<Item> items(boolean finished) {
    return runs.stream().filter(item -> item.finished() == finished);
  }

  // --- cost ------------------------------------------------------------------------------------

  /** Device seconds of a run: those that it took, or by the FLOP rate of finished ones. */
  private Optional<Double> seconds(Item item, DeviceTime of, Double gflops) {
    if (item.finished()) {
      return Optional.ofNullable(of.seconds(item.progress()));
    }
    OptionalDouble rate =
        of.rate(
            items(true).filter(i -> i.run().arm().equals(item.run().arm())).map(Item::progress));
    rate = rate.isPresent() ? rate : of.rate(items(true).map(Item::progress));
    if (rate.isEmpty() && gflops != null) {
      rate = OptionalDouble.of(gflops * 1e9);
    }
    return rate.isEmpty() || item.flops().isEmpty()
        ? Optional.empty()
        : Optional.of(of.flops(item.flops().get()) / rate.getAsDouble());
  }

  /** Of both. */
  private Optional<Double> seconds(Item item, Double gflops) {
    return seconds(item, DeviceTime.TRAINING, gflops)
        .flatMap(
            training ->
                seconds(item, DeviceTime.EVALUATION, gflops)
                    .map(evaluation -> training + evaluation));
  }

  // --- for a person ----------------------------------------------------------------------------

  /** A row for each run. */
  public QueryResult describe(Double gflops) {
    List<Heading> columns = new ArrayList<>();
    List<List<Object>> rows = new ArrayList<>();
    for (Item item : runs) {
      Map<String, Object> row = new LinkedHashMap<>();
      row.put("run_id", item.run().id());
      row.put("status", item.recorded().map(r -> KebabCase.of(r.status())).orElse("left"));
      row.put("epochs", epochs(item.run()));
      row.put("joint_mask_ratio", jointMaskRatio(item.run()));
      row.put("flops", item.flops().map(PlannedWork.Flops::training).orElse(null));
      row.put("flops_of_baseline", ofBaseline(item).orElse(null));
      row.put("device_seconds", seconds(item, DeviceTime.TRAINING, gflops).orElse(null));
      row.put("evaluation_flops", item.flops().map(PlannedWork.Flops::evaluation).orElse(null));
      row.put(
          "evaluation_device_seconds", seconds(item, DeviceTime.EVALUATION, gflops).orElse(null));
      if (columns.isEmpty()) {
        row.keySet()
            .forEach(
                name ->
                    columns.add(
                        new Heading(name, name.contains("flops") || name.endsWith("seconds"))));
      }
      rows.add(new ArrayList<>(row.values()));
    }
    return new QueryResult(columns, rows);
  }

  /** Its FLOPs in those of the baseline in its setting. */
  private Optional<Double> ofBaseline(Item item) {
    return runs.stream()
        .filter(other -> other.run().arm().equals(comparison.baseline()))
        .filter(other -> other.run().setting().equals(item.run().setting()))
        .findFirst()
        .flatMap(Item::flops)
        .flatMap(flops -> item.flops().map(own -> own.training() / flops.training()));
  }

  /** Such as {@code 5 SSL + 5 MIX + 5 SL}. */
  private static String epochs(Comparison.Run run) {
    Map<String, Long> phases =
        MixSchedule.of(run.config()).epochs().stream()
            .collect(
                groupingBy(
                    (EpochPlan plan) -> plan.phase().name(), LinkedHashMap::new, counting()));
    return phases.entrySet().stream()
        .map(phase -> phase.getValue() + " " + phase.getKey())
        .collect(joining(" + "));
  }

  /** What of an image JOINT epochs hide, over the phase; null without such epochs. */
  private static String jointMaskRatio(Comparison.Run run) {
    boolean joint =
        MixSchedule.of(run.config()).epochs().stream()
            .anyMatch(plan -> plan.objective() == Objective.JOINT);
    return joint ? run.config().mix().maskRatio().toString() : null;
  }

  /** How much there is, and how much is left. */
  public String summary(Double gflops) {
    List<Item> left = items(false).toList();
    double[] seconds =
        left.stream()
            .map(item -> seconds(item, gflops))
            .flatMap(Optional::stream)
            .mapToDouble(s -> s)
            .toArray();
    String cost =
        left.isEmpty()
            ? ""
            : seconds.length < left.size()
                ? "; their cost is unknown until their data is prepared and a run is finished, or --gflops is given"
                : "; these take about %s of device time"
                    .formatted(Durations.text(Arrays.stream(seconds).sum()));
    return "comparison %s: %s runs, %s finished, %s left%s"
        .formatted(comparison.name(), runs.size(), runs.size() - left.size(), left.size(), cost);
  }

  /** What a person should know of its arms and its data, each once. */
  public List<String> notes(Configuration hadoop) {
    return Stream.concat(
            comparison.notes().stream(),
            runs.stream().flatMap(item -> PlannedWork.notes(hadoop, item.run().config()).stream()))
        .distinct()
        .toList();
  }

  /** From now on. */
  Clock clock() {
    return new Clock();
  }

  /** Says how long the rest will take, by the FLOPs that were done since it was started. */
  final class Clock {
    private final long start = System.nanoTime();
    private double done;
    private double left = items(false).mapToDouble(Clock::flops).sum();

    private static double flops(Item item) {
      return item.flops().map(PlannedWork.Flops::total).orElse(0.0);
    }

    /** Such as {@code , 1:23 h left}; nothing after the last run. */
    String after(Comparison.Run run) {
      double flops =
          runs.stream()
              .filter(item -> item.run().id().equals(run.id()))
              .mapToDouble(Clock::flops)
              .sum();
      done += flops;
      left -= flops;
      double seconds = (System.nanoTime() - start) / 1e9;
      return left <= 0 || done <= 0
          ? ""
          : "; " + Durations.text(seconds / done * left) + " left for the rest";
    }
  }
}
