package org.mixtraining.report;

import java.util.List;
import java.util.Map;
import org.mixtraining.report.chart.Numbers;
import org.mixtraining.results.RowReader;
import org.mixtraining.results.RunRow;

/**
 * The data of one comparison's report, read from the result tables.
 *
 * @param arms by setting, in the order of the view {@code settings}
 * @param runs all of them, whatever their status
 * @param recorded the rows of those that have started
 */
public record ComparisonFacts(
    String name,
    List<ComparisonFacts.ArmResult> arms,
    List<ComparisonFacts.ArmRun> runs,
    List<RunRow> recorded) {

  /** A setting in which arms are compared: dataset and shares of images and labels. */
  public record Place(String dataset, Double fraction, Double labelFraction) {

    String title() {
      String images = fraction == 1 ? "all images" : Numbers.share(fraction) + " of the images";
      String labels =
          labelFraction == 1 ? "" : ", " + Numbers.share(labelFraction) + " of their labels";
      return dataset + ", " + images + labels;
    }
  }

  /** A row of the view {@code settings}. */
  public record ArmResult(
      Place place,
      String arm,
      long runs,
      long planned,
      Double accuracy,
      Double accuracyDeviation,
      Double deviceSeconds,
      Double flops,
      Double gain,
      Double gainMargin,
      Double timesCheaper,
      Double timesFewerFlops,
      Boolean ahead,
      Boolean pareto,
      Double validationAccuracy,
      Double evaluationFlops) {}

  /** A run of the comparison; of one that is not finished, accuracy and cost are null. */
  public record ArmRun(
      String runId,
      Place place,
      String arm,
      String baseline,
      String status,
      Long seed,
      Double accuracy,
      Double deviceSeconds,
      Double flops) {}

  /** Reads them; {@code runs} is empty if there is no such comparison. */
  public static ComparisonFacts read(RowReader tables, String name) {
    Map<String, Object> named = Map.of("name", name);
    return new ComparisonFacts(
        name,
        tables.rows(ArmResult.class, "select * from settings where comparison = :name", named),
        tables.rows(ArmRun.class, RUNS, named),
        tables.rows(RunRow.class, RECORDED, named));
  }

  /** The arm that gains are relative to. */
  String baseline() {
    return runs.get(0).baseline();
  }

  List<Place> places() {
    return arms.stream().map(ArmResult::place).distinct().toList();
  }

  List<String> armNames() {
    return arms.stream().map(ArmResult::arm).distinct().toList();
  }

  long finished() {
    return arms.stream().mapToLong(ArmResult::runs).sum();
  }

  private static final String RUNS =
      """
      select c.run_id, c.dataset, c.fraction, c.label_fraction, c.arm, c.baseline,
        coalesce(r.status, 'not begun') as status, r.seed,
        if(r.status = 'finished', coalesce(r.test_accuracy_at_best, r.final_test_accuracy), null)
          as accuracy,
        if(r.status = 'finished', r.device_seconds * if(r.devices is null,
          coalesce(int(get_json_object(r.config, '$.mixtraining.workers.threads-per-worker')), 1),
          1), null) as device_seconds,
        if(r.status = 'finished', r.flops, null) as flops
      from comparisons c left join runs r on r.run_id = c.run_id
      where c.comparison = :name
      order by c.dataset, c.fraction desc, c.label_fraction desc, c.arm, r.seed, c.run_id
      """;

  private static final String RECORDED =
      """
      select r.* from runs r
      join comparisons c on c.run_id = r.run_id where c.comparison = :name
      order by r.run_id
      """;
}
