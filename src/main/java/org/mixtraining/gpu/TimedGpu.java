package org.mixtraining.gpu;

import java.nio.ByteBuffer;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A GPU that makes every call several times and measures how long one takes, by kernel. What it
 * computes is of no use: some kernels add to what is there.
 */
final class TimedGpu implements Gpu {

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

  /** Seconds by kernel; {@code product} are all matrix products. */
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

  @Override
  public void launch(
      String kernel, long blocks, int threads, int sharedBytes, Object... arguments) {
    time(kernel, () -> gpu.launch(kernel, blocks, threads, sharedBytes, arguments));
  }

  @Override
  public void multiply(Gemm product) {
    time("product", () -> gpu.multiply(product));
  }

  @Override
  public CapturedGraph capture(Runnable calls) {
    return CapturedGraph.of(calls);
  }

  @Override
  public Memory.Type matrixType() {
    return gpu.matrixType();
  }

  @Override
  public Memory allocate(Memory.Type type, long count) {
    return gpu.allocate(type, count);
  }

  @Override
  public void free(Memory memory) {
    gpu.free(memory);
  }

  @Override
  public void write(Memory to, float[] values) {
    gpu.write(to, values);
  }

  @Override
  public void write(Memory to, int[] values) {
    gpu.write(to, values);
  }

  @Override
  public void write(Memory to, double[] values) {
    gpu.write(to, values);
  }

  @Override
  public void write(Memory to, byte[] values) {
    gpu.write(to, values);
  }

  @Override
  public void upload(Memory to, ByteBuffer bytes) {
    gpu.upload(to, bytes);
  }

  @Override
  public long freeBytes() {
    return gpu.freeBytes();
  }

  @Override
  public void finish() {
    gpu.finish();
  }

  @Override
  public void read(Memory from, float[] into) {
    gpu.read(from, into);
  }

  @Override
  public void read(Memory from, double[] into) {
    gpu.read(from, into);
  }

  @Override
  public void close() {
    gpu.close();
  }
}
