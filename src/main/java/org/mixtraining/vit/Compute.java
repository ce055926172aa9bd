package org.mixtraining.vit;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.mixtraining.kernels.Engine;
import org.mixtraining.kernels.Mat;

/**
 * What the layers of a thread's training compute with: an engine, and working memory that all
 * layers share because they run one after another.
 *
 * <p>Deeplearning4j builds layers from their configuration alone, so they find their engine through
 * the thread that calls them. A program that sets none computes on one CPU thread.
 */
public final class Compute implements AutoCloseable {

  private static final ThreadLocal<Compute> CURRENT = new ThreadLocal<>();

  private final Engine engine;
  private final Map<String, Mat> saved = new HashMap<>();
  private final Map<String, Mat> scratch = new ConcurrentHashMap<>();

  public Compute(Engine engine) {
    this.engine = engine;
  }

  /** The calling thread's. */
  static Compute current() {
    Compute compute = CURRENT.get();
    if (compute == null) {
      compute = new Compute(Engine.cpu(1));
      CURRENT.set(compute);
    }
    return compute;
  }

  /** Makes the calling thread compute with this one until the scope is closed. */
  public Scope use() {
    Compute previous = CURRENT.get();
    CURRENT.set(this);
    return () -> CURRENT.set(previous);
  }

  /** A stretch of a thread's work that computes with one {@link Compute}. */
  public interface Scope extends AutoCloseable {
    @Override
    void close();
  }

  Engine engine() {
    return engine;
  }

  /**
   * Memory that lasts from a forward pass to its backward pass. It is named rather than a layer's
   * own because the graphs of several objectives, which train in turn, then share it.
   */
  Mat save(String name, int rows, int cols) {
    return reserve(saved, name, rows, cols);
  }

  /** Working memory of at least rows × cols, valid until the same name is asked for again. */
  Mat scratch(String name, int rows, int cols) {
    return reserve(scratch, name, rows, cols);
  }

  /** The named matrix of a store, grown if it is too small; its content is undefined. */
  private static Mat reserve(Map<String, Mat> store, String name, int rows, int cols) {
    int size = Math.multiplyExact(rows, cols);
    Mat memory = store.get(name);
    if (memory == null || memory.cols() < size) {
      if (memory != null) {
        memory.close();
      }
      memory = Mat.allocate(1, size);
      store.put(name, memory);
    }
    return memory.slice(0, rows, cols);
  }

  @Override
  public void close() {
    for (Map<String, Mat> store : List.of(saved, scratch)) {
      store.values().forEach(Mat::close);
      store.clear();
    }
    engine.close();
  }
}
