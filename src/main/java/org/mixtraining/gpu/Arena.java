package org.mixtraining.gpu;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Named device memory that is reused: the memory of a name grows to the largest request, so that
 * steps of several shapes, which are taken in turn, share it.
 */
final class Arena implements AutoCloseable {

  private final Gpu gpu;
  private final Map<String, Memory> named = new HashMap<>();
  private long growths;

  Arena(Gpu gpu) {
    this.gpu = gpu;
  }

  /** At least so many values; what an earlier call gave may be gone then, see {@link #growths}. */
  Memory of(String name, Memory.Type type, long count) {
    Memory memory = named.get(name);
    if (memory == null || memory.count() < count || memory.type() != type) {
      growths++;
      if (memory != null) {
        named.remove(name);
        gpu.free(memory);
      }
      memory = gpu.allocate(type, count);
      named.put(name, memory);
    }
    return memory.first(count);
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
