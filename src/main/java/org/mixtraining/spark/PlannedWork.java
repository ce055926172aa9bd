package org.mixtraining.spark;

import java.util.ArrayList;
import java.util.IntSummaryStatistics;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.ToIntFunction;
import org.apache.hadoop.conf.Configuration;
import org.mixtraining.config.EarlyStoppingConfig;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.WorkersConfig;
import org.mixtraining.data.DatasetManifest;
import org.mixtraining.run.DataChecks;
import org.mixtraining.run.LabelledData;
import org.mixtraining.run.TrainingData;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.schedule.MixSchedule;
import org.mixtraining.schedule.Rounds;

/** The work of a run, computed before it is trained: FLOPs and early stopping. */
public final class PlannedWork {

  /** Bytes of images up to which a worker is given memory for them, if it is free to choose. */
  private static final long IN_MEMORY = 4_000_000_000L;

  private PlannedWork() {}

  /**
   * Floating-point operations by formula, over the whole schedule.
   *
   * @param evaluation of scoring the model after {@code scored} of the epochs
   */
  public record Flops(double training, double evaluation, int scored) {

    public double total() {
      return training + evaluation;
    }
  }

  /**
   * The FLOPs of a run; unknown while a dataset is not prepared.
   *
   * @throws org.mixtraining.config.UserException if the datasets do not fit the model or each other
   */
  public static Optional<Flops> flops(Configuration hadoop, JobConfig config) {
    return prepared(hadoop, config).map(PlannedWork::flops);
  }

  static Flops flops(TrainingData data) {
    MixSchedule schedule = MixSchedule.of(data.config());
    int every = data.config().evaluation().every();
    int scored =
        (int) schedule.epochs().stream().filter(plan -> schedule.scores(plan, every)).count();
    return new Flops(
        schedule.epochs().stream().mapToDouble(plan -> flops(data, plan)).sum(),
        scored * data.evaluationFlops(),
        scored);
  }

  /** Those of training an epoch. */
  static double flops(TrainingData data, EpochPlan plan) {
    return data.labelled().stream()
        .mapToDouble(
            task -> {
              long labelled = plan.unlabelledApart() ? data.labelled(task) : 0;
              return labelled * ofImage(data, task, plan, true)
                  + (data.images(task, plan) - labelled) * ofImage(data, task, plan, false);
            })
        .sum();
  }

  private static double ofImage(
      TrainingData data, LabelledData task, EpochPlan plan, boolean labelled) {
    return data.vit(task)
        .masking(plan.maskRatio(labelled))
        .trainingFlops(plan.objective(), plan.input());
  }

  /**
   * Warnings about a run's data; none while it is not prepared.
   *
   * @throws org.mixtraining.config.UserException if the datasets do not fit the model or each other
   */
  public static List<String> notes(Configuration hadoop, JobConfig config) {
    return prepared(hadoop, config).map(data -> new DataChecks(data).notes()).orElse(List.of());
  }

  /** Description of a run: every epoch, its FLOPs, and its early stopping. */
  public static String describe(Configuration hadoop, JobConfig config) {
    StringBuilder text = new StringBuilder(MixSchedule.of(config).describe());
    Optional<TrainingData> prepared = prepared(hadoop, config);
    prepared.ifPresent(data -> batches(data).forEach(line -> text.append(line).append('\n')));
    prepared
        .map(PlannedWork::flops)
        .ifPresent(
            flops ->
                text.append(
                    String.format(
                        Locale.ROOT,
                        "%.3g TFLOP to train and %.3g to evaluate, after %d of the epochs; computed from formulas, not measured%n",
                        flops.training() / 1e12,
                        flops.evaluation() / 1e12,
                        flops.scored())));
    EarlyStoppingConfig stopping = config.earlyStopping();
    if (stopping.patience() > 0) {
      text.append(
          "stops early after %s epochs of the last phase without better validation accuracy%s%n"
              .formatted(
                  stopping.patience(),
                  stopping.cooldown() > 0
                      ? String.format(
                          Locale.ROOT,
                          ", and a cooldown of %d more in which the learning rate falls to %s",
                          stopping.cooldown(),
                          config.optimizer().rates().minLr())
                      : ", with no decay of the learning rate, which costs accuracy; set mixtraining.early-stopping.cooldown above 0 to decay it first"));
    }
    prepared.ifPresent(
        data -> new DataChecks(data).notes().forEach(note -> text.append(note).append('\n')));
    return text.toString();
  }

  /** How the images are shared between the workers, a line for each kind of epoch. */
  private static List<String> batches(TrainingData data) {
    int workers = data.config().workers().count();
    int batch = data.config().optimizer().batchSize();
    int parts = data.config().optimizer().accumulate();
    Map<String, Set<Rounds>> byTitle = new LinkedHashMap<>();
    for (EpochPlan plan : MixSchedule.of(data.config()).epochs()) {
      byTitle.computeIfAbsent(plan.title(), t -> new LinkedHashSet<>()).add(data.rounds(plan));
    }
    Map<Set<Rounds>, Set<String>> kinds = new LinkedHashMap<>();
    byTitle.forEach(
        (title, rounds) -> kinds.computeIfAbsent(rounds, r -> new LinkedHashSet<>()).add(title));
    List<String> lines = new ArrayList<>();
    lines.add(
        "a batch is %s images%s"
                .formatted(
                    batch,
                    workers == 1
                        ? ""
                        : ", up to %s on each of %s workers"
                            .formatted(data.config().workerBatchSize(), workers))
            + (parts == 1
                ? ""
                : ", taken in %s parts whose gradients are summed".formatted(parts)));
    kinds.forEach(
        (rounds, titles) ->
            lines.add(
                "%s: %s steps an epoch%s"
                    .formatted(
                        String.join(", ", titles),
                        range(rounds, Rounds::steps),
                        workers == 1
                            ? ""
                            : "; the workers are averaged %s an epoch (%s)"
                                .formatted(
                                    times(range(rounds, Rounds::count)),
                                    rounds.iterator().next().reason()))));
    if (workers > 1) {
      lines.add(
          Speedup.of(data, data.config().workers().device() == WorkersConfig.Device.GPU)
              .describe());
    }
    return lines;
  }

  /** "3", or "3 to 20" where epochs of a kind differ. */
  private static String range(Set<Rounds> rounds, ToIntFunction<Rounds> number) {
    IntSummaryStatistics all = rounds.stream().mapToInt(number).summaryStatistics();
    return all.getMin() == all.getMax()
        ? String.valueOf(all.getMin())
        : "%s to %s".formatted(all.getMin(), all.getMax());
  }

  private static String times(String range) {
    return range.equals("1") ? "1 time" : range + " times";
  }

  /**
   * The cluster resources of runs of which any may train beside any other: the most that any of
   * them needs, and the workers of the one with most of them.
   *
   * @param configs of all of them, or of those that take most
   * @param trainings that run side by side
   * @throws org.mixtraining.config.UserException if the datasets do not fit the model or each other
   */
  public static ResourcePlan resources(
      Configuration hadoop, List<JobConfig> configs, int trainings) {
    return configs.stream()
        .map(config -> resources(hadoop, config, trainings))
        .reduce(ResourcePlan::both)
        .orElseThrow();
  }

  /** The data of a run, if all of it is prepared. */
  private static Optional<TrainingData> prepared(Configuration hadoop, JobConfig config) {
    boolean prepared =
        config.data().labelled().stream()
                .allMatch(task -> DatasetManifest.exists(hadoop, task.path()))
            && (config.data().ssl().isEmpty()
                || DatasetManifest.exists(hadoop, config.data().ssl()));
    return prepared ? Optional.of(TrainingData.open(hadoop, config)) : Optional.empty();
  }

  /**
   * The cluster resources of a run; its memory is unknown while a dataset is not prepared.
   *
   * @param trainings that run side by side
   * @throws org.mixtraining.config.UserException if the datasets do not fit the model or each other
   */
  public static ResourcePlan resources(Configuration hadoop, JobConfig config, int trainings) {
    return new ResourcePlan(
        config.workers(), trainings, prepared(hadoop, config).map(data -> need(data, trainings)));
  }

  private static ResourcePlan.Need need(TrainingData data, int trainings) {
    JobConfig config = data.config();
    long stateBytes = data.stateBytes();
    int tasks = Math.min(config.workers().perExecutor(), config.workers().count() * trainings);
    Function<TrainingData, MemoryNeed> need =
        placed ->
            MemoryNeed.of(
                placed,
                stateBytes,
                tasks,
                WorkerDevices.steps(config.workers().device() == WorkersConfig.Device.GPU));
    TrainingData placed =
        ImagePlacement.of(data, inMemory -> need.apply(inMemory).images() <= tasks * IN_MEMORY);
    return new ResourcePlan.Need(need.apply(placed), stateBytes);
  }
}
