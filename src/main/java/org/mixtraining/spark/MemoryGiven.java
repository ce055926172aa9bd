package org.mixtraining.spark;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.SparkConf;
import org.apache.spark.network.util.JavaUtils;
import org.bytedeco.javacpp.Pointer;

/**
 * Memory limits of an executor's process, in bytes; {@link Long#MAX_VALUE} without a limit.
 *
 * @param tasks that run in it at a time
 * @param heapSetting what sets the heap
 * @param heap Java heap
 * @param direct byte buffers outside it, where images lie
 * @param compute JavaCPP's memory outside it, where replicas compute
 * @param overhead all memory beyond the heap, where a resource manager ends whoever takes more
 * @param physical resident memory at which JavaCPP refuses more
 */
record MemoryGiven(
    int tasks,
    String heapSetting,
    long heap,
    long direct,
    long compute,
    long overhead,
    long physical) {

  static final String OVERHEAD = "spark.executor.memoryOverhead";
  static final String MAX_BYTES =
      "-Dorg.bytedeco.javacpp.maxbytes in spark.executor.extraJavaOptions";
  static final String MAX_PHYSICAL_BYTES =
      "-Dorg.bytedeco.javacpp.maxphysicalbytes in spark.executor.extraJavaOptions";

  private static final long MIN_OVERHEAD = 384L << 20;
  private static final Pattern LOCAL_CLUSTER =
      Pattern.compile("local-cluster\\[\\s*\\d+\\s*,\\s*(\\d+)\\s*,.*");

  /** To executors under a configuration; in local mode, to this process, which computes itself. */
  static MemoryGiven to(SparkConf conf, int slots) {
    String master = conf.get("spark.master");
    if (master.startsWith("local") && !master.startsWith("local-cluster")) {
      return new MemoryGiven(
          slots,
          "the driver's memory (MIXTRAINING_DRIVER_MEMORY, spark.driver.memory)",
          Runtime.getRuntime().maxMemory(),
          Long.MAX_VALUE,
          Pointer.maxBytes(),
          Long.MAX_VALUE,
          limit(Pointer.maxPhysicalBytes()));
    }
    long heap = conf.getSizeAsBytes("spark.executor.memory", "1g");
    String options =
        conf.get("spark.executor.defaultJavaOptions", "")
            + " "
            + conf.get("spark.executor.extraJavaOptions", "");
    long compute = size(options, "-Dorg.bytedeco.javacpp.maxbytes=", heap);
    boolean bounded = master.startsWith("yarn") || master.startsWith("k8s");
    return new MemoryGiven(
        Math.max(1, cores(conf, master) / conf.getInt("spark.task.cpus", 1)),
        "spark.executor.memory",
        heap,
        size(options, "-XX:MaxDirectMemorySize=", heap),
        limit(compute),
        bounded ? overhead(conf, heap) : Long.MAX_VALUE,
        limit(size(options, "-Dorg.bytedeco.javacpp.maxphysicalbytes=", compute + heap)));
  }

  /** Of one executor; where it takes all cores of a machine, their number is not known yet. */
  private static int cores(SparkConf conf, String master) {
    Matcher local = LOCAL_CLUSTER.matcher(master);
    return conf.getInt(
        "spark.executor.cores",
        local.matches() ? Integer.parseInt(local.group(1)) : conf.getInt("spark.task.cpus", 1));
  }

  private static long overhead(SparkConf conf, long heap) {
    double factor = conf.getDouble("spark.executor.memoryOverheadFactor", 0.1);
    long least = Math.max(MIN_OVERHEAD, (long) (factor * heap));
    return conf.contains(OVERHEAD) ? JavaUtils.byteStringAsMb(conf.get(OVERHEAD)) << 20 : least;
  }

  /** The last that is given wins. */
  private static long size(String options, String flag, long otherwise) {
    int at = options.lastIndexOf(flag);
    return at < 0
        ? otherwise
        : JavaUtils.byteStringAsBytes(options.substring(at + flag.length()).split("\\s")[0]);
  }

  /** JavaCPP's 0 is no limit. */
  private static long limit(long bytes) {
    return bytes <= 0 ? Long.MAX_VALUE : bytes;
  }
}
