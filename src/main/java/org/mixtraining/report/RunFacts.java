package org.mixtraining.report;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.mixtraining.results.ClassRow;
import org.mixtraining.results.EpochRow;
import org.mixtraining.results.FeatureRow;
import org.mixtraining.results.PredictionRow;
import org.mixtraining.results.RowReader;
import org.mixtraining.results.RunRow;
import org.mixtraining.results.WorkerRow;
import org.mixtraining.schedule.Phase;

/**
 * The data of one run's report, read from the result tables.
 *
 * @param classes accuracy on test images by class, with the run's selected model
 * @param confusion its predictions of test images by class
 * @param samples a few correctly classified test images of many classes, and the most confident
 *     mistakes
 */
public record RunFacts(
    RunRow run,
    List<EpochRow> epochs,
    List<WorkerRow> workers,
    List<RunFacts.PhaseCost> phases,
    List<ClassRow> classes,
    List<RunFacts.Taken> confusion,
    List<PredictionRow> samples,
    List<FeatureRow> features) {

  /** Number of correct and of wrong predictions shown per task, at most. */
  private static final int SAMPLES = 12;

  /** A row of the view {@code phase_cost}. */
  public record PhaseCost(
      Phase phase,
      long epochs,
      long images,
      double seconds,
      double flops,
      double deviceSeconds,
      Double evaluationSeconds,
      Double evaluationFlops) {}

  /** A row of the view {@code confusion}: images of a label predicted as a class. */
  public record Taken(
      String task,
      int label,
      String labelName,
      int predicted,
      String predictedName,
      long images,
      double share) {

    boolean right() {
      return label == predicted;
    }
  }

  /** Reads them. */
  public static RunFacts read(RowReader tables, RunRow run) {
    Map<String, Object> arguments = new HashMap<>(Map.of("run", run.runId()));
    List<EpochRow> epochs = tables.rows(EpochRow.class, of("epochs", "epoch"), arguments);
    arguments.put("epoch", judgedAfter(run, epochs).orElse(0));
    arguments.put("samples", SAMPLES);
    return new RunFacts(
        run,
        epochs,
        tables.rows(WorkerRow.class, of("workers", "epoch, worker"), arguments),
        tables.rows(PhaseCost.class, PHASES, arguments),
        tables.rows(ClassRow.class, CLASSES, arguments),
        tables.rows(Taken.class, CONFUSION, arguments),
        tables.rows(PredictionRow.class, SAMPLE, arguments),
        tables.rows(FeatureRow.class, of("features", "task, method, model, split"), arguments));
  }

  /** The epoch of the selected model: the best on validation, else the last that was evaluated. */
  private static OptionalInt judgedAfter(RunRow run, List<EpochRow> epochs) {
    return run.progress().bestEpoch() != null
        ? OptionalInt.of(run.progress().bestEpoch())
        : epochs.stream()
            .filter(epoch -> epoch.evaluation().testAccuracy() != null)
            .mapToInt(EpochRow::epoch)
            .max();
  }

  private static String of(String table, String order) {
    return "select * from %s where run_id = :run order by %s".formatted(table, order);
  }

  private static final String PHASES =
      """
      select c.* from phase_cost c
      join (select phase, min(epoch) as first from epochs where run_id = :run group by phase) p
        on p.phase = c.phase
      where c.run_id = :run order by p.first
      """;

  private static final String CLASSES =
      """
      select * from classes
      where run_id = :run and epoch = :epoch and split = 'test' order by task, label
      """;

  private static final String CONFUSION =
      """
      select * from confusion where run_id = :run and split = 'test'
      order by task, label, predicted
      """;

  /** Correct ones in an order that depends on their ids alone, class by class in turn. */
  private static final String SAMPLE =
      """
      select * from (
        select *, row_number() over (
          partition by task, correct
          order by turn, if(correct, hash(id), 0), probability desc, id) as place
        from (
          select *, label = predicted as correct,
            if(label = predicted,
              row_number() over (
                partition by task, label, label = predicted order by hash(id), id),
              1) as turn
          from predictions where run_id = :run and split = 'test'))
      where place <= :samples
      order by task, correct desc, place
      """;
}
