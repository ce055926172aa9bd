package org.mixtraining.gpu;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Named device memory that is reused: the memory of a name grows to the largest request, so that
 * steps of several shapes, which are taken in turn, share it.
 */
final class Arena implements AutoCloseable {

  private final Gpu gpu;
  private final Map<String, Memory> named = new HashMap<>();
  private Map<String, Memory> planned; // null: memory is given at once
  private boolean fixed;
  private long growths;

  Arena(Gpu gpu) {
    this.gpu = gpu;
  }

  /** At least so many values; what an earlier call gave may be gone then, see {@link #growths}. */
  Memory of(String name, Memory.Type type, long count) {
    Memory known = named.get(name);
    if (holds(known, type, count)) {
      return known.first(count);
    }
    if (fixed) {
      throw new IllegalStateException("nobody has asked for %s in time".formatted(name));
    }
    Memory wanted = new Memory(0, type, count);
    if (planned != null) {
      planned.merge(name, wanted, (a, b) -> holds(a, b.type(), b.count()) ? a : b);
      return wanted;
    }
    return grown(name, wanted);
  }

  private static boolean holds(Memory memory, Memory.Type type, long count) {
    return memory != null && memory.count() >= count && memory.type() == type;
  }

  private Memory grown(String name, Memory wanted) {
    growths++;
    Memory old = named.remove(name);
    if (old != null) {
      gpu.free(old);
    }
    Memory memory = gpu.allocate(wanted.type(), wanted.count());
    named.put(name, memory);
    return memory;
  }

  /**
   * What a maker makes when all that it asks for has its memory, so that none of it moves while it
   * is made.
   *
   * @param maker is called twice: the first time to know what it asks for
   */
  <T> T planned(Supplier<T> maker) {
    planned = new HashMap<>();
    Map<String, Memory> all = planned;
    try {
      T unused = maker.get();
    } finally {
      planned = null;
    }
    all.forEach(this::grown);
    return maker.get();
  }

  /** Makes calls that may only ask for memory which is there. */
  void fixed(Runnable calls) {
    fixed = true;
    try {
      calls.run();
    } finally {
      fixed = false;
    }
  }

  /** How often memory was asked for: while it stays the same, all that was given is valid. */
  long growths() {
    return growths;
  }

  @Override
  public void close() {
    List<Memory> all = List.copyOf(named.values());
    named.clear();
    growths++;
    all.forEach(gpu::free);
  }
}
