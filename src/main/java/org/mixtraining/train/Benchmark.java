package org.mixtraining.train;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.JobConfig.MixPass;
import org.mixtraining.data.ImageSet;
import org.mixtraining.data.Normalization;
import org.mixtraining.data.Share;
import org.mixtraining.kernels.Engine;
import org.mixtraining.kernels.GemmPeak;
import org.mixtraining.kernels.KernelTimes;
import org.mixtraining.kernels.Nd4jCalls;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.schedule.LearningRate;
import org.mixtraining.schedule.Objective;
import org.mixtraining.schedule.Phase;
import org.mixtraining.vit.Compute;
import org.mixtraining.vit.Replica;
import org.mixtraining.vit.Sight;
import org.mixtraining.vit.ViT;
import org.mixtraining.vit.ViTGraph;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/**
 * Whole training steps on random 32x32 colour images, by the same graph, minibatches and optimizer
 * as training: how fast, and where the time goes.
 */
public final class Benchmark {

  private static final int SIZE = 32;
  private static final int CHANNELS = 3;
  private static final int CLASSES = 10;

  /** Steps before the counted ones: the first allocate and compile. */
  private static final int WARMUP = 4;

  private Benchmark() {}

  /**
   * What was found; times and rates are of the median step.
   *
   * @param gflops floating-point operations by formula, in 10⁹ a second
   * @param gemmPeakGflops rate of square matrix products in the same process
   * @param kernelSeconds seconds of a step by operation, summed over threads
   * @param minibatchSeconds seconds of a step in which one thread reads and augments its images
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
    ViT vit = ViT.of(config.model(), SIZE, SIZE, CHANNELS, CLASSES);
    MixPass pass = config.mix().pass();
    EpochPlan plan = plan(objective, pass, config);
    double peak = GemmPeak.gflops(engine);
    KernelTimes times = new KernelTimes();
    Engine timed = engine.timed(times);
    List<Double> seconds = new ArrayList<>();
    long minibatches = 0;
    try (Compute compute = new Compute(timed);
        Compute.Scope scope = compute.use();
        Replica replica =
            new Replica(ViTGraph.configuration(vit, objective, pass, config.optimizer(), 0))) {
      TrainingBatches batches = batches(config, vit, plan, WARMUP + steps + 1);
      replica.plan(plan, WARMUP + steps + 1);
      for (int step = -WARMUP; step < steps; step++) {
        if (step == 0) {
          times.reset();
        }
        long start = System.nanoTime();
        MultiDataSet batch = batches.next();
        long ready = System.nanoTime();
        replica.fit(batch);
        if (step >= 0) {
          minibatches += ready - start;
          seconds.add((System.nanoTime() - start) / 1e9);
        }
      }
      Measured measured = new Measured(seconds, minibatches / 1e9, times.seconds(), times.calls());
      long nd4jCalls = nd4jCalls(replica, batches.next());
      return result(config, vit, plan, engine, measured, nd4jCalls, peak);
    }
  }

  /** One step more, not timed: counting takes time. */
  private static long nd4jCalls(Replica replica, MultiDataSet batch) {
    try (Nd4jCalls calls = new Nd4jCalls()) {
      replica.fit(batch);
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
      JobConfig config,
      ViT vit,
      EpochPlan plan,
      Engine engine,
      Measured measured,
      long nd4jCalls,
      double peak) {
    List<Double> seconds = measured.seconds();
    double minibatches = measured.minibatches();
    int batch = config.optimizer().batchSize();
    double total = seconds.stream().mapToDouble(s -> s).sum();
    double median = seconds.stream().sorted().toList().get(seconds.size() / 2);
    SortedMap<String, Double> kernels = new TreeMap<>();
    measured.kernelSeconds().forEach((operation, s) -> kernels.put(operation, s / seconds.size()));
    double inside = kernels.values().stream().mapToDouble(s -> s).sum();
    Sight sight = Sight.of(plan.objective(), plan.pass());
    return new Result(
        plan.objective(),
        engine.kernels().name(),
        engine.threads(),
        batch,
        batch / median,
        median,
        vit.trainingFlops(plan.objective(), sight) * batch / median / 1e9,
        peak,
        kernels,
        minibatches / seconds.size(),
        (total * engine.threads() - minibatches) / seconds.size() - inside,
        measured.kernelCalls() / seconds.size(),
        nd4jCalls);
  }

  private static EpochPlan plan(Objective objective, MixPass pass, JobConfig config) {
    double alpha =
        switch (objective) {
          case SSL -> 1;
          case SL -> 0;
          case JOINT -> 0.5;
        };
    LearningRate rate = new LearningRate(config.optimizer().peak(), 0, 0, 1);
    double masked = config.model().maskRatio();
    double clip = config.optimizer().clip();
    return new EpochPlan(0, 1, Phase.MIX, objective, pass, alpha, masked, rate, clip);
  }

  private static TrainingBatches batches(JobConfig config, ViT vit, EpochPlan plan, int steps) {
    int images = steps * config.optimizer().batchSize();
    Random random = new Random(1);
    byte[][] pixels = new byte[images][CHANNELS * SIZE * SIZE];
    for (byte[] image : pixels) {
      random.nextBytes(image);
    }
    ImageSet set =
        ImageSet.of(
            LongStream.range(0, images).toArray(),
            IntStream.range(0, images).map(i -> i % CLASSES).toArray(),
            new double[images],
            pixels,
            CHANNELS,
            SIZE,
            SIZE);
    Normalization half = new Normalization(List.of(0.5, 0.5, 0.5), List.of(0.25, 0.25, 0.25));
    return TrainingBatches.of(config, vit, plan, Share.all(set, half));
  }

  /** The result for a person: rates first, then operations by their share of the time. */
  public static String describe(Result r) {
    StringBuilder text = new StringBuilder();
    text.append(
        String.format(
            Locale.ROOT,
            "%s, %s kernels, %d threads, batch %d: %.1f images/s, %.1f ms a step%n",
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
