package org.mixtraining.kernels;

import java.util.Optional;
import java.util.ServiceLoader;

/**
 * A library that computes on GPUs. It is a plugin, found by {@link ServiceLoader}, so that the CPU
 * build stands alone; the Maven profile {@code cuda} adds ND4J's.
 */
public interface Accelerator {

  /** The name of a device of this library in the table {@code workers}, before its address. */
  String name();

  /**
   * Makes the calling thread compute on a GPU. A process may have several, a thread each; it must
   * be called in each before the thread's first array.
   *
   * @param address as Spark assigns it
   * @throws org.mixtraining.config.UserException if the library cannot compute on that device
   */
  void bind(String address);

  /** An engine on the GPU that the calling thread is bound to. */
  Engine engine();

  /**
   * Whether every array of a process lies on a GPU, also those of a task that asked for none: then
   * it must be bound to its own before its first array.
   */
  default boolean holdsEveryArray() {
    return false;
  }

  /** The accelerator of this build, if it has one. */
  static Optional<Accelerator> installed() {
    return ServiceLoader.load(Accelerator.class).findFirst();
  }
}
