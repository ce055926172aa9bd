package org.mixtraining.train;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.mixtraining.config.JobConfig;
import org.mixtraining.kernels.Engine;
import org.mixtraining.kernels.GemmPeak;
import org.mixtraining.kernels.KernelTimes;
import org.mixtraining.kernels.Nd4jCalls;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.schedule.Objective;
import org.mixtraining.vit.Replica;
import org.mixtraining.vit.layers.Compute;

/**
 * Benchmark of whole training steps on random 32x32 colour images, in an epoch of a worker as runs
 * have them: speed, and time by operation. It trains no run by a local backend, whose replicas come
 * from a pool with an engine of their own: here the engine counts its kernels.
 */
public final class Benchmark {

  /** Steps before the counted ones: the first allocate and compile. */
  private static final int WARMUP = 4;

  private Benchmark() {}

  /**
   * The measurements; times and rates are of the median step.
   *
   * @param gflops floating-point operations by formula, in 10⁹ a second
   * @param gemmPeakGflops rate of square matrix products in the same process
   * @param kernelSeconds seconds of a step by operation, summed over threads
   * @param minibatchSeconds seconds of a step in which its images are read and augmented
   * @param outsideSeconds thread-seconds of a step outside of kernels and that: graph, optimizer's
   *     own passes, and threads waiting for each other
   * @param kernelCalls kernel calls of a step
   * @param nd4jCalls operations that ND4J executes in a step, in kernels and around them
   */
  public record Result(
      Objective objective,
      String kernels,
      int threads,
      int batchSize,
      double imagesPerSecond,
      double stepSeconds,
      double gflops,
      double gemmPeakGflops,
      SortedMap<String, Double> kernelSeconds,
      double minibatchSeconds,
      double outsideSeconds,
      long kernelCalls,
      long nd4jCalls) {

    public double shareOfPeak() {
      return gflops / gemmPeakGflops;
    }
  }

  /**
   * @param config model, optimizer and augmentation to measure
   * @param engine what to compute with; it is left open
   */
  public static Result run(JobConfig config, Objective objective, Engine engine, int steps) {
    Workload work = Workload.of(config, objective);
    double peak = GemmPeak.gflops(engine);
    KernelTimes times = new KernelTimes();
    List<Double> ends = new ArrayList<>(List.of(0.0)); // seconds after so many timed steps
    try (Compute compute = new Compute(engine.timed(times));
        Compute.Scope scope = compute.use();
        Replica replica = work.replica()) {
      EpochPlan plan = work.plan();
      TaskBatches batches = work.batches(WARMUP + steps + 1, engine.workerThreads());
      WorkerEpoch.run(replica, plan, 0, batches.until(WARMUP));
      times.reset();
      EpochMetrics timed =
          WorkerEpoch.run(
              replica,
              new GraphSteps(replica),
              plan,
              0,
              batches.until(WARMUP + steps),
              (done, all, soFar) -> ends.add(seconds(soFar)));
      SortedMap<String, Double> kernels = new TreeMap<>();
      times.seconds().forEach((operation, s) -> kernels.put(operation, s / steps));
      double inside = kernels.values().stream().mapToDouble(s -> s).sum();
      double median = median(ends);
      return new Result(
          plan.objective(),
          engine.kernels().name(),
          engine.threads(),
          work.batchSize(),
          work.batchSize() / median,
          median,
          work.stepFlops() / median / 1e9,
          peak,
          kernels,
          timed.waitSeconds() / steps,
          (seconds(timed) * engine.threads() - timed.waitSeconds()) / steps - inside,
          times.calls() / steps,
          nd4jCalls(replica, plan, batches));
    }
  }

  private static double seconds(EpochMetrics steps) {
    return steps.waitSeconds() + steps.computeSeconds();
  }

  private static double median(List<Double> ends) {
    return IntStream.range(1, ends.size())
        .mapToDouble(step -> ends.get(step) - ends.get(step - 1))
        .sorted()
        .skip((ends.size() - 1) / 2)
        .findFirst()
        .orElseThrow();
  }

  /** Of the last step, which is not timed: counting takes time. */
  private static long nd4jCalls(Replica replica, EpochPlan plan, TaskBatches batches) {
    try (Nd4jCalls calls = new Nd4jCalls()) {
      WorkerEpoch.run(replica, plan, 0, batches);
      return calls.count();
    }
  }

  /** The result for a person: rates first, then operations by their share of the time. */
  public static String describe(Result r) {
    StringBuilder text = new StringBuilder();
    line(
        text,
        "%s, %s kernels, %d threads, batch %d: %.1f images/s, %.1f ms per step",
        r.objective(),
        r.kernels(),
        r.threads(),
        r.batchSize(),
        r.imagesPerSecond(),
        1e3 * r.stepSeconds());
    line(
        text,
        "%.0f GFLOP/s by formula, %.0f %% of the %.0f that matrix products reach here",
        r.gflops(),
        100 * r.shareOfPeak(),
        r.gemmPeakGflops());
    double all =
        r.kernelSeconds().values().stream().mapToDouble(s -> s).sum()
            + r.minibatchSeconds()
            + r.outsideSeconds();
    r.kernelSeconds().entrySet().stream()
        .sorted(Map.Entry.<String, Double>comparingByValue().reversed())
        .forEach(e -> share(text, e.getKey(), e.getValue(), all));
    share(text, "(minibatches)", r.minibatchSeconds(), all);
    share(text, "(outside kernels)", r.outsideSeconds(), all);
    line(text, "%-22s %8d", "kernel calls", r.kernelCalls());
    line(text, "%-22s %8d", "ND4J calls", r.nd4jCalls());
    return text.toString();
  }

  private static void share(StringBuilder text, String name, double seconds, double all) {
    line(text, "%-22s %8.1f ms %5.1f %%", name, 1e3 * seconds, 100 * seconds / all);
  }

  private static void line(StringBuilder text, String format, Object... values) {
    text.append(String.format(Locale.ROOT, format, values)).append(System.lineSeparator());
  }
}
