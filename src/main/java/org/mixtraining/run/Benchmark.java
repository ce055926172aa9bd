package org.mixtraining.run;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.mixtraining.config.JobConfig;
import org.mixtraining.kernels.Device;
import org.mixtraining.kernels.Engine;
import org.mixtraining.kernels.GemmPeak;
import org.mixtraining.kernels.KernelTimes;
import org.mixtraining.kernels.Nd4jCalls;
import org.mixtraining.kernels.WorkerThreads;
import org.mixtraining.schedule.Objective;
import org.mixtraining.train.EpochMetrics;
import org.mixtraining.train.StepListener;
import org.mixtraining.train.TaskBatches;
import org.mixtraining.train.TrainingBatch;
import org.mixtraining.train.Workload;

/**
 * Benchmark of whole training steps on random 32x32 colour images: speed, and time by operation.
 * {@link LocalBackend} trains them, as rounds of one worker; Spark's tasks train the same rounds.
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
   * @param engines what to compute with, opened as often as it is asked for
   */
  public static Result run(
      JobConfig config, Objective objective, Supplier<Engine> engines, int steps) {
    Workload work = Workload.of(config, objective);
    KernelTimes times = new KernelTimes();
    Device device = new Device.Timed(engines, times);
    try (Engine engine = engines.get();
        WorkerThreads readers = new WorkerThreads(engine.threads())) {
      final double peak = GemmPeak.gflops(engine);
      TaskBatches batches = work.batches(WARMUP + steps + 1, readers);
      RoundTask first = new RoundTask(work.plan(), work.graph().toJson(), work.initialModel());
      RoundTask round =
          first.after(
              LocalBackend.train(first, 0, device, batches.until(WARMUP), StepListener.NONE));
      times.reset();
      List<Double> ends = new ArrayList<>(List.of(0.0)); // seconds after so many timed steps
      WorkerResult timed =
          LocalBackend.train(
              round,
              0,
              device,
              batches.until(WARMUP + steps),
              (done, all, soFar) -> ends.add(seconds(soFar)));
      SortedMap<String, Double> kernels = new TreeMap<>();
      times.seconds().forEach((operation, s) -> kernels.put(operation, s / steps));
      double inside = kernels.values().stream().mapToDouble(s -> s).sum();
      double median = median(ends);
      double waited = timed.metrics().waitSeconds();
      return new Result(
          objective,
          engine.kernels().name(),
          engine.threads(),
          work.batchSize(),
          work.batchSize() / median,
          median,
          work.stepFlops() / median / 1e9,
          peak,
          kernels,
          waited / steps,
          (seconds(timed.metrics()) * engine.threads() - waited) / steps - inside,
          times.calls() / steps,
          nd4jCalls(round.after(timed), device, batches));
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
  private static long nd4jCalls(RoundTask round, Device device, Iterator<TrainingBatch> last) {
    try (Nd4jCalls calls = new Nd4jCalls()) {
      LocalBackend.train(round, 0, device, last, StepListener.NONE);
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
