package org.mixtraining.gpu;

import java.lang.reflect.Proxy;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.mixtraining.config.WorkersConfig.Precision;
import org.mixtraining.gpu.Gpu.CapturedGraph;
import org.mixtraining.schedule.Objective;
import org.mixtraining.train.TrainingBatch;
import org.mixtraining.train.Workload;
import org.mixtraining.vit.Replica;

/**
 * A training step's demands on a GPU, counted from the program itself, without one: the launches,
 * the bytes that are read and written, and the floating-point operations of products and attention.
 *
 * <p>From these it estimates a time on an H200, of which nothing is measured: what each launch
 * needs for its bytes or for its operations, whichever is more, and a gap between two launches.
 */
public final class StepPlan {

  /**
   * Bytes that launches move in a second, on average; a copy of large arrays moves 4.3e12. It is
   * fitted, so that SL at batch 1024, as it was before any passes were fused, comes to the 15 ms
   * that a reading of every kernel estimated.
   */
  private static final double BYTES_PER_SECOND = 2.8e12;

  /** Of products as large as a step's; much larger ones reach twice that. */
  private static final double FLOPS_PER_SECOND = 4e14;

  /** Between two launches of a CUDA graph: the end of one and the beginning of the next. */
  private static final double GAP_SECONDS = 3e-6;

  /** The arguments of kernels that are read and written, by their places. */
  static final Map<String, Set<Integer>> UPDATED =
      Map.of(
          "adamw", Set.of(0, 2, 3),
          "bias_gelu_backward", Set.of(2),
          "embed_tokens", Set.of(0),
          "layer_norm_backward", Set.of(4));

  /**
   * What launches of one name come to.
   *
   * @param bytes of their arguments, twice where they are read and written
   */
  public record Work(long launches, long bytes, double flops) {
    static final Work NONE = new Work(0, 0, 0);

    Work plus(Work other) {
      return new Work(launches + other.launches, bytes + other.bytes, flops + other.flops);
    }

    /** Estimated for an H200. */
    double seconds() {
      return Math.max(bytes / BYTES_PER_SECOND, flops / FLOPS_PER_SECOND) + launches * GAP_SECONDS;
    }
  }

  private final SortedMap<String, Work> work = new TreeMap<>();
  private final Memory.Type matrixType;
  private long address = 256;

  private StepPlan(Memory.Type matrixType) {
    this.matrixType = matrixType;
  }

  /** The work of a step by kernel, and by {@link Gemm#label} of products. */
  public static SortedMap<String, Work> of(Workload work, Precision precision) {
    StepPlan plan =
        new StepPlan(precision == Precision.BF16 ? Memory.Type.BF16 : Memory.Type.FLOAT);
    TrainingBatch minibatch = work.onDevice(1).next();
    try (Replica replica = work.replica();
        GpuSteps steps = new GpuSteps(plan.counting(), replica)) {
      steps.begin(work.plan(), 2);
      steps.take(minibatch); // brings the images, which stay
      plan.work.clear();
      steps.take(minibatch);
      return new TreeMap<>(plan.work);
    }
  }

  private Gpu counting() {
    return (Gpu)
        Proxy.newProxyInstance(
            Gpu.class.getClassLoader(),
            new Class<?>[] {Gpu.class},
            (proxy, method, arguments) ->
                switch (method.getName()) {
                  case "matrixType" -> matrixType;
                  case "allocate" -> allocate((Memory.Type) arguments[0], (long) arguments[1]);
                  case "freeBytes" -> Long.MAX_VALUE;
                  case "capture" -> CapturedGraph.of((Runnable) arguments[0]);
                  case "launch" ->
                      count((String) arguments[0], (long) arguments[1], (Object[]) arguments[4]);
                  case "multiply" -> count((Gemm) arguments[0]);
                  case "multiplies" -> true;
                  default -> null;
                });
  }

  private Memory allocate(Memory.Type type, long count) {
    Memory memory = new Memory(address, type, count);
    address += (memory.bytes() + 255) / 256 * 256;
    return memory;
  }

  private Void count(String kernel, long blocks, Object[] arguments) {
    Set<Integer> updated = UPDATED.getOrDefault(kernel, Set.of());
    long bytes = 0;
    for (int i = 0; i < arguments.length; i++) {
      if (arguments[i] instanceof Memory memory) {
        bytes += memory.bytes() * (updated.contains(i) ? 2 : 1);
      }
    }
    double flops = kernel.contains("attention") ? attention(kernel, blocks, arguments) : 0;
    work.merge(kernel, new Work(1, bytes, flops), Work::plus);
    return null;
  }

  /** Two products of a head's queries and keys forward, seven backward. */
  private static double attention(String kernel, long heads, Object[] arguments) {
    double tokens = (int) arguments[arguments.length - 3];
    int width = (int) arguments[arguments.length - 1];
    return (kernel.endsWith("_backward") ? 7 : 2) * 2 * tokens * tokens * width * heads;
  }

  private Void count(Gemm p) {
    long factors = (long) p.m() * p.k() + (long) p.k() * p.n();
    long sums = (long) p.m() * p.n() * (1 + (p.c() == null ? 0 : 1) + (p.pre() == null ? 0 : 1));
    long bytes = factors * p.a().type().bytes() + sums * p.d().type().bytes();
    work.merge(p.label(), new Work(1, bytes, 2.0 * p.m() * p.n() * p.k()), Work::plus);
    return null;
  }

  /** A plan for a person: the most expensive first. */
  public static String describe(Objective objective, int batchSize, SortedMap<String, Work> plan) {
    StringBuilder text = new StringBuilder();
    Work all = plan.values().stream().reduce(Work.NONE, Work::plus);
    text.append(
        String.format(
            Locale.ROOT,
            "%s, batch %d: %d launches, %.2f GB, %.1f GFLOP; estimated for an H200: %.1f ms%n",
            objective,
            batchSize,
            all.launches,
            all.bytes / 1e9,
            all.flops / 1e9,
            1e3 * plan.values().stream().mapToDouble(Work::seconds).sum()));
    plan.entrySet().stream()
        .sorted((a, b) -> Double.compare(b.getValue().seconds(), a.getValue().seconds()))
        .forEach(
            e ->
                text.append(
                    String.format(
                        Locale.ROOT,
                        "%-48s %4d x %10.2f MB %10.2f GFLOP %8.3f ms%n",
                        e.getKey(),
                        e.getValue().launches,
                        e.getValue().bytes / 1e6,
                        e.getValue().flops / 1e9,
                        1e3 * e.getValue().seconds())));
    return text.toString();
  }
}
