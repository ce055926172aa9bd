package org.mixtraining.spark;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.mixtraining.config.WorkersConfig;
import org.mixtraining.spark.exchange.StateExchange;

/**
 * The cluster resources that a run needs, each number with its derivation: a pure function of the
 * configuration and of what a model and its images need.
 *
 * @param workers the configuration's
 * @param trainings that run side by side
 * @param need of an executor; unknown while the data is not prepared
 */
public record ResourcePlan(WorkersConfig workers, int trainings, Optional<Need> need) {

  private static final double MARGIN = 1.25;
  private static final long MEGA = 1 << 20;

  /** Workers whose states the driver averages itself, if its heap is as planned. */
  private static final int STATES_ON_DRIVER = 8;

  /**
   * Memory by what computes in it.
   *
   * @param stateBytes parameters and moments of a model
   */
  record Need(MemoryNeed executor, long stateBytes) {

    Need both(Need other) {
      return new Need(executor.both(other.executor), Math.max(stateBytes, other.stateBytes));
    }
  }

  /** Who starts the executors. */
  public enum Scheduler {
    STANDALONE,
    YARN,
    KUBERNETES
  }

  /** The larger of each number, which is enough for this plan and another one. */
  ResourcePlan both(ResourcePlan other) {
    WorkersConfig most = workers.count() >= other.workers.count() ? workers : other.workers;
    Optional<Need> needs =
        need.isPresent() && other.need.isPresent()
            ? Optional.of(need.get().both(other.need.get()))
            : Optional.empty();
    return new ResourcePlan(most, trainings, needs);
  }

  /** Workers that an executor trains at a time. */
  int perExecutor() {
    return Math.min(workers.perExecutor(), workers.count() * trainings);
  }

  int executors() {
    return (workers.count() * trainings + perExecutor() - 1) / perExecutor();
  }

  int cores() {
    return perExecutor() * workers.threadsPerWorker();
  }

  private boolean gpus() {
    return workers.device() == WorkersConfig.Device.GPU;
  }

  // --- memory, in MB ---------------------------------------------------------------------------

  private static long mega(double bytes) {
    return (long) Math.ceil(bytes / MEGA);
  }

  private static long heap(Need need) {
    return Math.max(1024, mega(MARGIN * need.executor().heap()));
  }

  private static long compute(Need need) {
    return mega(MARGIN * need.executor().compute());
  }

  private static long images(Need need) {
    return mega(MARGIN * need.executor().images());
  }

  private static long overhead(Need need) {
    return mega(MARGIN * need.executor().beyondHeap());
  }

  private long driver(Need need) {
    int states = StateExchange.onDriver(Math.min(STATES_ON_DRIVER, workers.count()));
    return Math.max(
        1024,
        mega(
            MARGIN
                * trainings
                * (MemoryNeed.HEAP_BASE
                    + (double) StateExchange.HEAP_SHARE * states * need.stateBytes())));
  }

  // --- for spark-submit ------------------------------------------------------------------------

  /**
   * Spark's settings for it, by name.
   *
   * @param flags of every JVM
   */
  public Map<String, String> settings(Scheduler scheduler, String flags) {
    Map<String, String> settings = new LinkedHashMap<>();
    switch (scheduler) {
      case STANDALONE -> settings.put("spark.cores.max", "" + executors() * cores());
      case YARN, KUBERNETES -> settings.put("spark.executor.instances", "" + executors());
    }
    settings.put("spark.executor.cores", "" + cores());
    settings.put("spark.task.cpus", "" + workers.threadsPerWorker());
    settings.putAll(processes(flags));
    need.ifPresent(
        n -> {
          settings.put("spark.driver.memory", driver(n) + "m");
          settings.put("spark.executor.memory", heap(n) + "m");
          settings.put(MemoryGiven.OVERHEAD, overhead(n) + "m");
          settings.put("spark.executor.defaultJavaOptions", flags + " " + limits(n));
        });
    if (gpus()) {
      settings.put(WorkerDevices.AMOUNT, "" + perExecutor());
      // As many tasks at a time as without it. Under dynamic allocation, Spark 3.5.9 fails stages
      // that ask for GPUs by themselves: their profile has no executors of its own.
      settings.put(WorkerDevices.TASK_AMOUNT, "1");
      settings.putAll(discovery(scheduler));
    }
    return settings;
  }

  /**
   * Spark's settings of every application.
   *
   * @param flags of every JVM
   */
  public static Map<String, String> processes(String flags) {
    return Map.of(
        "spark.driver.defaultJavaOptions", flags, "spark.executor.defaultJavaOptions", flags);
  }

  private static String limits(Need need) {
    // At the limit of the whole process JavaCPP collects garbage, before the scheduler kills it.
    // Where nobody limits a process it goes without, which saves a look at /proc for every array.
    return "-XX:MaxDirectMemorySize=%sm -Dorg.bytedeco.javacpp.maxbytes=%sm -Dorg.bytedeco.javacpp.maxphysicalbytes=%sm"
        .formatted(Math.max(heap(need), images(need)), compute(need), heap(need) + overhead(need));
  }

  /** Standalone workers know their GPUs; elsewhere an executor asks a script, as shipped to it. */
  private static Map<String, String> discovery(Scheduler scheduler) {
    return switch (scheduler) {
      case STANDALONE -> Map.of();
      case YARN -> Map.of(WorkerDevices.SCRIPT, "./gpus.sh");
      case KUBERNETES ->
          Map.of(
              WorkerDevices.SCRIPT,
              "/opt/mixtraining/submit/gpus.sh",
              WorkerDevices.VENDOR,
              "nvidia.com");
    };
  }

  // --- for a person ----------------------------------------------------------------------------

  private record Line(String what, String value, String from) {}

  /** A line for each number. */
  public String describe() {
    StringBuilder text = new StringBuilder();
    for (Line line : lines()) {
      text.append("%-24s %10s  %s%n".formatted(line.what(), line.value(), line.from()));
    }
    return text.toString();
  }

  private List<Line> lines() {
    List<Line> lines = new ArrayList<>();
    lines.add(
        new Line(
            "workers",
            "" + workers.count() * trainings,
            trainings == 1
                ? "mixtraining.workers.count"
                : "mixtraining.workers.count = %s, in %s trainings side by side (mixtraining.compare.parallel)"
                    .formatted(workers.count(), trainings)));
    lines.add(
        new Line(
            "executors",
            "" + executors(),
            "mixtraining.workers.per-executor = " + workers.perExecutor()));
    lines.add(
        new Line(
            "cores per executor",
            "" + cores(),
            "%s at a time, mixtraining.workers.threads-per-worker = %s"
                .formatted(perExecutor(), workers.threadsPerWorker())));
    lines.add(
        switch (workers.device()) {
          case GPU ->
              new Line(
                  "GPUs per executor",
                  "" + perExecutor(),
                  "one per worker; mixtraining.workers.device = gpu");
          case CPU -> new Line("GPUs per executor", "0", "mixtraining.workers.device = cpu");
          case AUTO ->
              new Line(
                  "GPUs per executor",
                  "any",
                  "mixtraining.workers.device = auto: one per worker where executors have them");
        });
    need.ifPresentOrElse(
        n -> lines.addAll(memory(n)),
        () ->
            lines.add(
                new Line("memory", "?", "unknown until the data is prepared and can be read")));
    return lines;
  }

  private List<Line> memory(Need n) {
    MemoryNeed executor = n.executor();
    return List.of(
        new Line(
            "heap per executor",
            heap(n) + " MB",
            String.format(
                Locale.ROOT,
                "Spark, and %d copies of the state per worker, %.1f MB; plus 25 %%, at least 1024",
                MemoryNeed.STATES,
                n.stateBytes() / 1e6)),
        new Line(
            "memory beyond the heap",
            overhead(n) + " MB",
            String.format(
                Locale.ROOT,
                "images %.1f MB, computing %.1f MB, the process %.1f MB; plus 25 %%",
                executor.images() / 1e6,
                executor.compute() / 1e6,
                MemoryNeed.PROCESS_BASE / 1e6)),
        new Line(
            "driver heap",
            driver(n) + " MB",
            "averaging the states of up to %s workers; plus 25 %%, at least 1024"
                .formatted(STATES_ON_DRIVER)));
  }
}
