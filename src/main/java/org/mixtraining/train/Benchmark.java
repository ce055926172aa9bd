package org.mixtraining.train;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.mixtraining.config.JobConfig;
import org.mixtraining.kernels.Engine;
import org.mixtraining.kernels.GemmPeak;
import org.mixtraining.kernels.KernelTimes;
import org.mixtraining.kernels.Nd4jCalls;
import org.mixtraining.schedule.Objective;
import org.mixtraining.vit.Replica;
import org.mixtraining.vit.layers.Compute;

/**
 * Benchmark of whole training steps on random 32x32 colour images, by the same graph, minibatches
 * and optimizer as training: speed, and time by operation.
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
    Engine timed = engine.timed(times);
    List<Double> seconds = new ArrayList<>();
    long minibatches = 0;
    try (Compute compute = new Compute(timed);
        Compute.Scope scope = compute.use();
        Replica replica = work.replica()) {
      GraphSteps executor = new GraphSteps(replica);
      TaskBatches batches = work.batches(WARMUP + steps + 1, engine.workerThreads());
      executor.begin(work.plan(), WARMUP + steps + 1);
      for (int step = -WARMUP; step < steps; step++) {
        if (step == 0) {
          times.reset();
        }
        long start = System.nanoTime();
        TrainingBatch batch = batches.next();
        long ready = System.nanoTime();
        executor.take(batch);
        if (step >= 0) {
          minibatches += ready - start;
          seconds.add((System.nanoTime() - start) / 1e9);
        }
      }
      Measured measured = new Measured(seconds, minibatches / 1e9, times.seconds(), times.calls());
      long nd4jCalls = nd4jCalls(executor, batches.next());
      return result(work, engine, measured, nd4jCalls, peak);
    }
  }

  /** One step more, not timed: counting takes time. */
  private static long nd4jCalls(GraphSteps executor, TrainingBatch batch) {
    try (Nd4jCalls calls = new Nd4jCalls()) {
      executor.take(batch);
      return calls.count();
    }
  }

  /** Of all timed steps. */
  private record Measured(
      List<Double> seconds,
      double minibatches,
      SortedMap<String, Double> kernelSeconds,
      long kernelCalls) {}

  private static Result result(
      Workload work, Engine engine, Measured measured, long nd4jCalls, double peak) {
    List<Double> seconds = measured.seconds();
    double minibatches = measured.minibatches();
    int batch = work.batchSize();
    double total = seconds.stream().mapToDouble(s -> s).sum();
    double median = seconds.stream().sorted().toList().get(seconds.size() / 2);
    SortedMap<String, Double> kernels = new TreeMap<>();
    measured.kernelSeconds().forEach((operation, s) -> kernels.put(operation, s / seconds.size()));
    double inside = kernels.values().stream().mapToDouble(s -> s).sum();
    return new Result(
        work.plan().objective(),
        engine.kernels().name(),
        engine.threads(),
        batch,
        batch / median,
        median,
        work.stepFlops() / median / 1e9,
        peak,
        kernels,
        minibatches / seconds.size(),
        (total * engine.threads() - minibatches) / seconds.size() - inside,
        measured.kernelCalls() / seconds.size(),
        nd4jCalls);
  }

  /** The result for a person: rates first, then operations by their share of the time. */
  public static String describe(Result r) {
    StringBuilder text = new StringBuilder();
    text.append(
        String.format(
            Locale.ROOT,
            "%s, %s kernels, %d threads, batch %d: %.1f images/s, %.1f ms per step%n",
            r.objective(),
            r.kernels(),
            r.threads(),
            r.batchSize(),
            r.imagesPerSecond(),
            1e3 * r.stepSeconds()));
    text.append(
        String.format(
            Locale.ROOT,
            "%.0f GFLOP/s by formula, %.0f %% of the %.0f that matrix products reach here%n",
            r.gflops(),
            100 * r.shareOfPeak(),
            r.gemmPeakGflops()));
    double all =
        r.kernelSeconds().values().stream().mapToDouble(s -> s).sum()
            + r.minibatchSeconds()
            + r.outsideSeconds();
    r.kernelSeconds().entrySet().stream()
        .sorted(Map.Entry.<String, Double>comparingByValue().reversed())
        .forEach(e -> line(text, e.getKey(), e.getValue(), all));
    line(text, "(minibatches)", r.minibatchSeconds(), all);
    line(text, "(outside kernels)", r.outsideSeconds(), all);
    text.append(String.format(Locale.ROOT, "%-22s %8d%n", "kernel calls", r.kernelCalls()));
    text.append(String.format(Locale.ROOT, "%-22s %8d%n", "ND4J calls", r.nd4jCalls()));
    return text.toString();
  }

  private static void line(StringBuilder text, String name, double seconds, double all) {
    text.append(
        String.format(
            Locale.ROOT, "%-22s %8.1f ms %5.1f %%%n", name, 1e3 * seconds, 100 * seconds / all));
  }
}
