package org.mixtraining.kernels;

import org.nd4j.linalg.api.ops.executioner.OpExecutioner.ProfilingMode;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.profiler.OpProfiler;

/**
 * Counts the operations that ND4J executes in this process until it is closed: on a device, each is
 * a launch or more. Counting slows them down.
 */
public final class Nd4jCalls implements AutoCloseable {
  private final ProfilingMode before = Nd4j.getExecutioner().getProfilingMode();
  private final long start;

  /** From now on. */
  @SuppressWarnings("deprecation") // the newer way counts the same
  public Nd4jCalls() {
    Nd4j.getExecutioner().setProfilingMode(ProfilingMode.OPERATIONS);
    this.start = OpProfiler.getInstance().getInvocationsCount();
  }

  /** So far. */
  public long count() {
    return OpProfiler.getInstance().getInvocationsCount() - start;
  }

  @Override
  @SuppressWarnings("deprecation")
  public void close() {
    Nd4j.getExecutioner().setProfilingMode(before);
  }
}
