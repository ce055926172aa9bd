package org.mixtraining.gpu;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.SplittableRandom;
import java.util.function.Supplier;
import org.mixtraining.gpu.Gemm.Form;
import org.mixtraining.schedule.Objective;
import org.mixtraining.train.TrainingBatch;
import org.mixtraining.train.Workload;
import org.mixtraining.vit.Replica;

/**
 * Benchmark of whole training steps on a GPU: speed, time by kernel, and the device's peak. It
 * gives the steps to their executor itself and in no worker's epoch, which ends by copying the
 * model back from the device.
 */
public final class GpuBenchmark {

  /** Minibatches that are made beforehand; their steps are taken over and over. */
  private static final int MINIBATCHES = 4;

  private static final int WARMUP = 4;

  private GpuBenchmark() {}

  /**
   * How the device itself is measured.
   *
   * @param side of the square matrices that are multiplied
   * @param copied values that are copied
   * @param times that each call is made
   */
  record Probe(int side, int copied, int times) {

    static Probe of(int side, int steps) {
      return new Probe(side, 8 * side * side, Math.min(steps, 20));
    }
  }

  /**
   * The measurements.
   *
   * @param stepSeconds of a step whose minibatch is ready
   * @param minibatchSeconds in which one thread makes a minibatch, at the same time
   * @param gflops floating-point operations by formula, in 10⁹ a second
   * @param productGflops rate of large matrix products of the same precision
   * @param copyGigabytes rate at which memory is copied, read and written bytes, in 10⁹ a second
   * @param kernelSeconds seconds of a step by kernel, each launched by itself
   * @param launches kernels and products of a step
   */
  public record Result(
      Objective objective,
      int batchSize,
      double imagesPerSecond,
      double stepSeconds,
      double minibatchSeconds,
      double gflops,
      double productGflops,
      double copyGigabytes,
      SortedMap<String, Double> kernelSeconds,
      long launches) {

    public double shareOfPeak() {
      return gflops / productGflops;
    }
  }

  /**
   * Measures a device.
   *
   * @param device opens it; the calling thread must be bound to it
   * @param steps to time, above 0
   * @param side of the square matrices that measure the device's peak
   */
  public static Result run(Workload work, Supplier<Gpu> device, int steps, int side) {
    return run(work, device, steps, Probe.of(side, steps));
  }

  static Result run(Workload work, Supplier<Gpu> device, int steps, Probe probe) {
    List<TrainingBatch> minibatches = new ArrayList<>();
    Iterator<TrainingBatch> batches = work.onDevice(MINIBATCHES);
    long start = System.nanoTime();
    batches.forEachRemaining(minibatches::add);
    double minibatchSeconds = (System.nanoTime() - start) / 1e9 / MINIBATCHES;
    double stepSeconds = stepSeconds(work, device, minibatches, steps);
    TimedGpu timed = new TimedGpu(device.get(), probe.times);
    try (Replica replica = work.replica();
        GpuSteps executor = new GpuSteps(timed.timed(), replica)) {
      executor.begin(work.plan(), MINIBATCHES);
      timed.reset();
      executor.take(minibatches.get(0));
      return new Result(
          work.plan().objective(),
          work.batchSize(),
          work.batchSize() / stepSeconds,
          stepSeconds,
          minibatchSeconds,
          work.stepFlops() / stepSeconds / 1e9,
          productGflops(device, probe),
          copyGigabytes(device, probe),
          timed.seconds(),
          timed.calls());
    }
  }

  private static double stepSeconds(
      Workload work, Supplier<Gpu> device, List<TrainingBatch> minibatches, int steps) {
    Gpu gpu = device.get();
    try (Replica replica = work.replica();
        GpuSteps executor = new GpuSteps(gpu, replica)) {
      executor.begin(work.plan(), MINIBATCHES);
      long start = 0;
      for (int step = -WARMUP; step < steps; step++) {
        if (step == 0) {
          gpu.finish();
          start = System.nanoTime();
        }
        executor.take(minibatches.get((step + WARMUP) % MINIBATCHES));
      }
      gpu.finish();
      return (System.nanoTime() - start) / 1e9 / steps;
    }
  }

  /** Rate of large matrix products, in 10⁹ operations a second. */
  static double productGflops(Supplier<Gpu> device, Probe probe) {
    int side = probe.side;
    long count = (long) side * side;
    try (Gpu gpu = device.get();
        Arena arena = new Arena(gpu)) {
      Memory a = random(gpu, arena, "a", count);
      Memory b = random(gpu, arena, "b", count);
      Memory d = arena.of("d", gpu.matrixType(), count);
      var product =
          new Gemm("square", a, Form.PLAIN, b, Form.PLAIN, null, null, d, side, side, side);
      double seconds = TimedGpu.time(gpu, probe.times, () -> gpu.multiply(product));
      return 2.0 * side * count / seconds / 1e9;
    }
  }

  /** Of numbers between -1 and 1: a device multiplies zeros at less power, and so faster. */
  private static Memory random(Gpu gpu, Arena arena, String name, long count) {
    float[] values = new float[(int) count];
    SplittableRandom random = new SplittableRandom(name.hashCode());
    for (int i = 0; i < count; i++) {
      values[i] = (float) (2 * random.nextDouble() - 1);
    }
    Memory floats = arena.of("floats", Memory.Type.FLOAT, count);
    gpu.write(floats, values);
    Memory memory = arena.of(name, gpu.matrixType(), count);
    Operations.round(gpu, floats, memory);
    return memory;
  }

  private static double copyGigabytes(Supplier<Gpu> device, Probe probe) {
    long count = probe.copied;
    try (Gpu gpu = device.get();
        Arena arena = new Arena(gpu)) {
      Memory from = arena.of("from", Memory.Type.FLOAT, count);
      Memory to = arena.of("to", gpu.matrixType(), count);
      Runnable copy = () -> Operations.round(gpu, from, to);
      return (from.bytes() + to.bytes()) / TimedGpu.time(gpu, probe.times, copy) / 1e9;
    }
  }

  /** The result for a person: rates first, then kernels by their share of the time. */
  public static String describe(Result r) {
    StringBuilder text = new StringBuilder();
    line(
        text,
        "%s, batch %d: %.0f images/s, %.2f ms per step of %d launches",
        r.objective,
        r.batchSize,
        r.imagesPerSecond,
        1e3 * r.stepSeconds,
        r.launches);
    line(text, "%.2f ms to make a minibatch, on one thread", 1e3 * r.minibatchSeconds);
    line(
        text,
        "%.0f GFLOP/s by formula, %.0f %% of the %.0f that large matrix products reach; copies: %.0f GB/s",
        r.gflops,
        100 * r.shareOfPeak(),
        r.productGflops,
        r.copyGigabytes);
    double all = r.kernelSeconds.values().stream().mapToDouble(s -> s).sum();
    r.kernelSeconds.entrySet().stream()
        .sorted(Map.Entry.<String, Double>comparingByValue().reversed())
        .forEach(
            e ->
                line(
                    text,
                    "%-48s %8.3f ms %5.1f %%",
                    e.getKey(),
                    1e3 * e.getValue(),
                    100 * e.getValue() / all));
    return text.toString();
  }

  private static void line(StringBuilder text, String format, Object... values) {
    text.append(String.format(Locale.ROOT, format, values)).append(System.lineSeparator());
  }
}
