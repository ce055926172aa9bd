package org.mixtraining.vit.layers;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.mixtraining.kernels.Engine;
import org.mixtraining.kernels.Matrix;

/**
 * The compute engine of a thread's layers: an engine, and working memory that all layers share
 * because they run one after another.
 *
 * <p>Deeplearning4j builds layers from their configuration alone, so they find their engine through
 * the thread that calls them. A plain Deeplearning4j program, which sets none, computes on the
 * calling thread; training jobs {@link #require} one.
 */
public final class Compute implements AutoCloseable {

  private static final ThreadLocal<Compute> CURRENT = new ThreadLocal<>();

  /** Its engine has no threads to be closed, and its memory goes when the thread is garbage. */
  private static final ThreadLocal<Compute> PLAIN =
      ThreadLocal.withInitial(() -> new Compute(Engine.cpu(1)));

  private final Engine engine;
  private final Map<String, Matrix> saved = new HashMap<>();
  private final Map<String, Matrix> scratch = new ConcurrentHashMap<>();

  public Compute(Engine engine) {
    this.engine = engine;
  }

  /** The calling thread's. */
  public static Compute current() {
    Compute compute = CURRENT.get();
    return compute == null ? PLAIN.get() : compute;
  }

  /**
   * Makes sure that the calling thread was given what it computes with.
   *
   * @throws IllegalStateException if it was not
   */
  public static void require() {
    if (CURRENT.get() == null) {
      throw new IllegalStateException(
          "thread %s has no engine to compute with: borrow a replica of ReplicaPool, or call Compute.use() first"
              .formatted(Thread.currentThread().getName()));
    }
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

  public Engine engine() {
    return engine;
  }

  /**
   * Memory that lasts from a forward pass to its backward pass. It is named rather than a layer's
   * own because the graphs of several objectives, which train in turn, then share it.
   */
  Matrix save(String name, int rows, int cols) {
    return reserve(saved, name, rows, cols);
  }

  /**
   * Memory for the sum of the gradients of a minibatch's parts, which a step is then taken with.
   */
  public Matrix gradientSum(int parameters) {
    return save("gradient-sum", 1, parameters);
  }

  /** Working memory of at least rows × cols, valid until the same name is asked for again. */
  Matrix scratch(String name, int rows, int cols) {
    return reserve(scratch, name, rows, cols);
  }

  /** The named matrix of a store, grown if it is too small; its content is undefined. */
  private static Matrix reserve(Map<String, Matrix> store, String name, int rows, int cols) {
    int size = Math.multiplyExact(rows, cols);
    Matrix memory = store.get(name);
    if (memory == null || memory.cols() < size) {
      if (memory != null) {
        memory.close();
      }
      memory = Matrix.allocate(1, size);
      store.put(name, memory);
    }
    return memory.slice(0, rows, cols);
  }

  @Override
  public void close() {
    for (Map<String, Matrix> store : List.of(saved, scratch)) {
      store.values().forEach(Matrix::close);
      store.clear();
    }
    engine.close();
  }
}
