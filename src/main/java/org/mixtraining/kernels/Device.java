package org.mixtraining.kernels;

import java.util.Optional;
import org.mixtraining.config.WorkersConfig;
import org.nd4j.linalg.factory.Nd4j;

/** What a worker computes on. Two that are equal are the same. */
public sealed interface Device {

  /** As the table {@code workers} names it. */
  String name();

  /** What it counts for where device time is summed: each core of a CPU, or a GPU, is one. */
  int devices();

  /** Makes the calling thread compute on it: to be called before the thread's first array. */
  void bind();

  /** An engine on it, for the thread that it was bound to. */
  Engine engine();

  /** The library that computes on it, if it is a GPU. */
  default Optional<Accelerator> accelerator() {
    return Optional.empty();
  }

  /**
   * The cores of this machine.
   *
   * @param threads compute threads
   */
  static Device cpu(int threads) {
    return new Cores(threads);
  }

  /**
   * A GPU.
   *
   * @param address as Spark assigns it
   * @param precision of its matrix products, where the library knows several
   * @throws IllegalStateException if this build has no {@link Accelerator}
   */
  static Device gpu(String address, WorkersConfig.Precision precision) {
    Accelerator accelerator =
        Accelerator.installed()
            .orElseThrow(
                () -> new IllegalStateException("no accelerator in this process's class path"));
    return new Gpu(accelerator.name() + ":" + address, address, precision);
  }

  /**
   * Whatever there is in this process, for work that asks for no GPU: the CPU; or, where ND4J has
   * taken a GPU's memory for all its arrays, that GPU.
   *
   * @param threads compute threads, on the CPU
   */
  static Device any(int threads) {
    return new Any(threads);
  }

  /** The machine's cores. */
  record Cores(int threads) implements Device {
    @Override
    public String name() {
      return "cpu";
    }

    @Override
    public int devices() {
      return threads;
    }

    @Override
    public void bind() {
      // Every thread may compute on any core.
    }

    @Override
    public Engine engine() {
      return Engine.cpu(threads);
    }
  }

  /** The GPU at an address. */
  record Gpu(String name, String address, WorkersConfig.Precision precision) implements Device {
    @Override
    public int devices() {
      return 1;
    }

    @Override
    public void bind() {
      installed().bind(address);
    }

    @Override
    public Engine engine() {
      return installed().engine();
    }

    @Override
    public Optional<Accelerator> accelerator() {
      return Optional.of(installed());
    }

    private static Accelerator installed() {
      return Accelerator.installed().orElseThrow();
    }
  }

  /** What the process has. */
  record Any(int threads) implements Device {
    @Override
    public String name() {
      return "any";
    }

    @Override
    public int devices() {
      return Nd4j.getEnvironment().isCPU() ? threads : 1;
    }

    @Override
    public void bind() {
      // ND4J knows the device of each thread.
    }

    @Override
    public Engine engine() {
      return Nd4j.getEnvironment().isCPU() ? Engine.cpu(threads) : Engine.nd4j();
    }
  }
}
