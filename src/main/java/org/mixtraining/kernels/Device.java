package org.mixtraining.kernels;

import java.util.Optional;
import java.util.function.Supplier;
import org.mixtraining.config.WorkersConfig.Precision;
import org.nd4j.linalg.factory.Nd4j;

/** A compute device of a worker: CPU cores or a GPU. Equal devices are the same device. */
public sealed interface Device {

  /** Its name in the table {@code workers}. */
  String name();

  /** The number of devices that device time counts: each CPU core, or a GPU, is one. */
  int devices();

  /** Binds the calling thread to it; call this before the thread's first array. */
  default void bind() {
    // Every thread may compute on any core, and ND4J knows the device of each thread.
  }

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
   * @param precision of their matrix products
   */
  static Device cpu(int threads, Precision precision) {
    return new Cores(threads, precision);
  }

  /**
   * A GPU.
   *
   * @param address as Spark assigns it
   * @param precision of its matrix products, where the library knows several
   * @throws IllegalStateException if this build has no {@link Accelerator}
   */
  static Device gpu(String address, Precision precision) {
    Accelerator accelerator =
        Accelerator.installed()
            .orElseThrow(
                () -> new IllegalStateException("no accelerator in this process's class path"));
    return new Gpu(accelerator.name() + ":" + address, address, precision);
  }

  /**
   * The default device of this process, for work that asks for no GPU: the CPU, or the GPU if ND4J
   * keeps all its arrays there.
   *
   * @param threads compute threads, on the CPU
   * @param precision of their matrix products
   */
  static Device any(int threads, Precision precision) {
    return new Any(threads, precision);
  }

  /** The machine's cores. */
  record Cores(int threads, Precision precision) implements Device {
    @Override
    public String name() {
      return precision == Precision.BF16 ? "cpu bf16" : "cpu";
    }

    @Override
    public int devices() {
      return threads;
    }

    @Override
    public Engine engine() {
      return Engine.cpu(threads, precision);
    }
  }

  /** Any other, whose engines count the time of their kernels together: a benchmark's. */
  record Timed(Supplier<Engine> engines, KernelTimes times) implements Device {
    @Override
    public String name() {
      return "timed";
    }

    @Override
    public int devices() {
      return 1;
    }

    @Override
    public Engine engine() {
      return engines.get().timed(times);
    }
  }

  /** The GPU at an address. */
  record Gpu(String name, String address, Precision precision) implements Device {
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

  /** The default device of the process. */
  record Any(int threads, Precision precision) implements Device {
    @Override
    public String name() {
      return "any";
    }

    @Override
    public int devices() {
      return Nd4j.getEnvironment().isCPU() ? threads : 1;
    }

    @Override
    public Engine engine() {
      return Nd4j.getEnvironment().isCPU() ? Engine.cpu(threads, precision) : Engine.nd4j();
    }
  }
}
