package org.mixtraining.run;

import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.bytedeco.javacpp.Pointer;
import org.mixtraining.kernels.Device;

/**
 * The task that trained a worker: where it ran, and what that cost its process.
 *
 * @param host host name
 * @param executor Spark's executor id; {@code driver} without Spark's executors
 * @param device what it computed on: {@code cpu}, or an accelerator and the address of its GPU
 * @param devices how many devices that is: cores, or one GPU
 * @param attempt attempt of its task, from 0
 * @param seconds wall time of the task
 * @param peakRssBytes highest resident memory of the process so far; −1 where unknown
 * @param offHeapBytes resident memory of the process beyond its Java heap, at the end
 */
public record TaskInfo(
    String host,
    String executor,
    String device,
    int devices,
    int attempt,
    double seconds,
    long peakRssBytes,
    long offHeapBytes)
    implements Serializable {

  /** Of this process, in which a task that began {@code seconds} ago computes on a device. */
  public static TaskInfo here(
      String host, String executor, Device device, int attempt, double seconds) {
    return new TaskInfo(
        host,
        executor,
        device.name(),
        device.devices(),
        attempt,
        seconds,
        highWaterMark(),
        Math.max(0, Pointer.physicalBytes() - Runtime.getRuntime().totalMemory()));
  }

  /** Of the task that trained the worker's next round, for as long as both took. */
  TaskInfo then(TaskInfo next) {
    return new TaskInfo(
        next.host,
        next.executor,
        next.device,
        next.devices,
        Math.max(attempt, next.attempt),
        seconds + next.seconds,
        Math.max(peakRssBytes, next.peakRssBytes),
        next.offHeapBytes);
  }

  /** The high-water mark that Linux keeps for a process; −1 elsewhere. */
  public static long highWaterMark() {
    Path status = Path.of("/proc/self/status");
    if (!Files.isReadable(status)) {
      return -1;
    }
    try (var lines = Files.lines(status)) {
      return lines
          .filter(line -> line.startsWith("VmHWM:"))
          .mapToLong(line -> 1024 * Long.parseLong(line.replaceAll("\\D", "")))
          .findFirst()
          .orElse(-1);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
