package org.mixtraining.spark;

import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.spark.SparkEnv;
import org.apache.spark.TaskContext;
import org.bytedeco.javacpp.Pointer;
import org.mixtraining.kernels.Device;

/**
 * Where a worker ran, and what that cost its process.
 *
 * @param host host name
 * @param executor Spark's executor id
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

  /** Of the running task, which computes on a device and began {@code seconds} ago. */
  static TaskInfo here(Device device, double seconds) {
    return new TaskInfo(
        SparkEnv.get().blockManager().blockManagerId().host(),
        SparkEnv.get().executorId(),
        device.name(),
        device.devices(),
        TaskContext.get().attemptNumber(),
        seconds,
        highWaterMark(),
        Math.max(0, Pointer.physicalBytes() - Runtime.getRuntime().totalMemory()));
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
