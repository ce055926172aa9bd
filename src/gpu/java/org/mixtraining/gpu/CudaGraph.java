package org.mixtraining.gpu;

import org.bytedeco.cuda.cudart.CUgraphExec_st;
import org.bytedeco.cuda.cudart.CUgraph_st;
import org.bytedeco.cuda.cudart.CUstream_st;
import org.bytedeco.cuda.global.cudart;

/**
 * A CUDA graph. The first time, the calls are made as they are: libraries then load their code,
 * which they may not do while they are captured.
 */
final class CudaGraph implements Gpu.CapturedGraph {
  private final CUstream_st stream;
  private final Runnable calls;
  private boolean called;
  private CUgraphExec_st graph;

  /**
   * @param stream that the calls go to
   */
  CudaGraph(CUstream_st stream, Runnable calls) {
    this.stream = stream;
    this.calls = calls;
  }

  @Override
  public void launch() {
    if (!called) {
      calls.run();
      called = true;
      return;
    }
    if (graph == null) {
      capture();
    }
    Cuda.check("cuGraphLaunch", cudart.cuGraphLaunch(graph, stream));
  }

  private void capture() {
    Cuda.check(
        "cuStreamBeginCapture",
        cudart.cuStreamBeginCapture(stream, cudart.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
    CUgraph_st captured = new CUgraph_st();
    CUgraphExec_st executable = new CUgraphExec_st();
    Owned.Thing destroyed = () -> destroy(captured);
    try (destroyed) {
      Owned.Thing ended =
          () -> Cuda.check("cuStreamEndCapture", cudart.cuStreamEndCapture(stream, captured));
      try (ended) { // however the calls end
        calls.run();
      }
      Cuda.check("cuGraphInstantiate", cudart.cuGraphInstantiate(executable, captured, 0));
      graph = executable;
    }
  }

  private static void destroy(CUgraph_st captured) {
    if (!captured.isNull()) {
      Cuda.check("cuGraphDestroy", cudart.cuGraphDestroy(captured));
    }
  }

  @Override
  public void close() {
    if (graph != null) {
      CUgraphExec_st own = graph;
      graph = null;
      Owned.Thing destroyed =
          () -> Cuda.check("cuGraphExecDestroy", cudart.cuGraphExecDestroy(own));
      try (destroyed) {
        Cuda.check("cuStreamSynchronize", cudart.cuStreamSynchronize(stream));
      }
    }
  }
}
