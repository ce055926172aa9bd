package org.mixtraining.gpu;

import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.SortedMap;
import java.util.TreeMap;
import org.mixtraining.gpu.Gpu.CapturedGraph;

/**
 * A GPU that makes every call several times and measures how long one takes, by kernel. What it
 * computes is of no use: some kernels add to what is there.
 */
final class TimedGpu {

  private final Gpu gpu;
  private final int times;
  private final SortedMap<String, Double> seconds = new TreeMap<>();
  private long calls;

  /**
   * @param times that each call is made and counted
   */
  TimedGpu(Gpu gpu, int times) {
    this.gpu = gpu;
    this.times = times;
  }

  /** Resets the times. */
  void reset() {
    seconds.clear();
    calls = 0;
  }

  /** Seconds by kernel, and by {@link Gemm#label} of products. */
  SortedMap<String, Double> seconds() {
    return seconds;
  }

  /** Launches and products. */
  long calls() {
    return calls;
  }

  private void time(String name, Runnable call) {
    calls++;
    seconds.merge(name, time(gpu, times, call), Double::sum);
  }

  /** Seconds of one of so many calls, captured as a graph, so that launching takes no time. */
  static double time(Gpu gpu, int times, Runnable call) {
    Runnable calls =
        () -> {
          for (int i = 0; i < times; i++) {
            call.run();
          }
        };
    try (CapturedGraph graph = gpu.capture(calls)) {
      graph.launch(); // loads code
      graph.launch(); // captures
      gpu.finish();
      long start = System.nanoTime();
      graph.launch();
      gpu.finish();
      return (System.nanoTime() - start) / 1e9 / times;
    }
  }

  /** The GPU whose launches and products are timed. */
  Gpu timed() {
    return (Gpu)
        Proxy.newProxyInstance(
            Gpu.class.getClassLoader(),
            new Class<?>[] {Gpu.class},
            (proxy, method, arguments) -> {
              switch (method.getName()) {
                case "launch" -> time((String) arguments[0], () -> call(method, arguments));
                case "multiply" ->
                    time(((Gemm) arguments[0]).label(), () -> call(method, arguments));
                case "capture" -> {
                  return CapturedGraph.of((Runnable) arguments[0]);
                }
                default -> {
                  return call(method, arguments);
                }
              }
              return null;
            });
  }

  private Object call(Method method, Object[] arguments) {
    try {
      return method.invoke(gpu, arguments);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }
}
