package org.mixtraining.gpu;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.mixtraining.gpu.Gpu.CapturedGraph;
import org.mixtraining.gpu.StepContext.Shape;

/**
 * A cache of captured CUDA graphs by the shapes of their inputs. A new one may need more memory,
 * which moves: then the others are captured again when they are next used.
 */
final class GraphCache<P> implements AutoCloseable {

  /** A program, and the graph captured of its run. */
  record Captured<P>(P program, CapturedGraph graph) {}

  private final Gpu gpu;
  private final Arena arena;
  private final Map<Shape, Captured<P>> captured = new HashMap<>();

  /**
   * @param arena of the programs alone: all of it is freed where a program cannot be made
   */
  GraphCache(Gpu gpu, Arena arena) {
    this.gpu = gpu;
    this.arena = arena;
  }

  /**
   * The program of a shape.
   *
   * @param maker which asks for all memory that the program reads and writes; it is called twice
   * @param run which only launches
   */
  Captured<P> of(Shape shape, Supplier<P> maker, Consumer<P> run) {
    Captured<P> known = captured.get(shape);
    if (known != null) {
      return known;
    }
    P made = made(maker);
    var fresh = new Captured<>(made, gpu.capture(() -> arena.fixed(() -> run.accept(made))));
    captured.put(shape, fresh);
    return fresh;
  }

  private P made(Supplier<P> maker) {
    long before = arena.growths();
    try {
      P program = arena.planned(maker);
      if (arena.growths() != before) {
        close();
      }
      return program;
    } catch (RuntimeException | Error e) { // too little memory: some has moved, and some is gone
      try (arena;
          this) {
        throw e;
      }
    }
  }

  /** Forgets all of them. */
  @Override
  public void close() {
    if (!captured.isEmpty()) {
      CapturedGraph one = captured.remove(captured.keySet().iterator().next()).graph;
      try (one) {
        close();
      }
    }
  }
}
