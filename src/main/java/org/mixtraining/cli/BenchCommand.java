package org.mixtraining.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.KebabCase;
import org.mixtraining.config.UserException;
import org.mixtraining.config.WorkersConfig.Precision;
import org.mixtraining.gpu.GpuAccelerator;
import org.mixtraining.gpu.GpuBenchmark;
import org.mixtraining.gpu.StepPlan;
import org.mixtraining.kernels.Accelerator;
import org.mixtraining.kernels.Device;
import org.mixtraining.kernels.Engine;
import org.mixtraining.kernels.Processor;
import org.mixtraining.run.Benchmark;
import org.mixtraining.run.TaskInfo;
import org.mixtraining.schedule.Objective;
import org.mixtraining.train.Workload;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code bench}: the training speed of this machine, and the time by operation. */
@Command(
    name = "bench",
    mixinStandardHelpOptions = true,
    description = "Times whole training steps on random images; nothing is written.")
final class BenchCommand implements Callable<Integer> {

  @Mixin private JobOptions options;

  @Option(
      names = "--objective",
      defaultValue = "sl",
      paramLabel = "ssl|sl|joint",
      description = "Objective of the steps (default: ${DEFAULT-VALUE}).")
  private Objective objective;

  @Option(names = "--model", paramLabel = "PRESET", description = "The same as -D model.preset=…")
  private String model;

  @Option(names = "--patch", paramLabel = "PIXELS", description = "The same as -D model.patch=…")
  private Integer patch;

  @Option(
      names = "--batch",
      paramLabel = "IMAGES",
      description = "The same as -D optimizer.batch-size=…")
  private Integer batch;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "The same as -D workers.threads-per-worker=…")
  private Integer threads;

  @Option(
      names = "--kernels",
      defaultValue = "cpu",
      paramLabel = "cpu|nd4j|gpu",
      description = "Implementation of the kernels (default: ${DEFAULT-VALUE}).")
  private Implementation kernels;

  @Option(
      names = "--steps",
      defaultValue = "10",
      paramLabel = "N",
      description = "Steps to time (default: ${DEFAULT-VALUE}).")
  private int steps;

  @Option(
      names = "--plan",
      description =
          "Only count the work of a step on a GPU; needs neither a GPU nor a build with -Pgpu.")
  private boolean plan;

  @Option(
      names = "--peak",
      defaultValue = "4096",
      paramLabel = "N",
      description =
          "Side of the square matrices whose product measures the GPU's peak (default: ${DEFAULT-VALUE}).")
  private int peak;

  @Option(names = "--json", description = "One JSON object instead of text.")
  private boolean json;

  private enum Implementation {
    CPU,
    ND4J,
    /** Whole steps by the accelerator of -Pgpu, on this machine's first GPU. */
    GPU
  }

  @Override
  public Integer call() throws JsonProcessingException {
    override("model.preset", model);
    override("model.patch", patch);
    override("optimizer.batch-size", batch);
    override("workers.threads-per-worker", threads);
    JobConfig config = options.config();
    if (steps < 1) {
      throw new UserException("--steps %s: at least 1".formatted(steps));
    }
    if (peak < 1 || peak > 8192) {
      throw new UserException("--peak %s: from 1 to 8192".formatted(peak));
    }
    if (plan) {
      System.out.print(preset(config) + plan(config));
      return 0;
    }
    if (kernels == Implementation.GPU) {
      GpuBenchmark.Result result = onGpu(config);
      System.out.print(
          json ? json(config, result) : preset(config) + GpuBenchmark.describe(result));
      return 0;
    }
    Benchmark.Result result = Benchmark.run(config, objective, () -> engine(config), steps);
    System.out.print(json ? json(config, result) : text(config, result));
    return 0;
  }

  private Engine engine(JobConfig config) {
    return kernels == Implementation.CPU
        ? Engine.cpu(config.workers().threadsPerWorker(), config.workers().precision())
        : Engine.nd4j();
  }

  private GpuBenchmark.Result onGpu(JobConfig config) {
    if (!(Accelerator.installed().orElse(null) instanceof GpuAccelerator accelerator)) {
      throw new UserException(
          "--kernels gpu: this build has no GPU steps; build with mvn package -Pgpu");
    }
    Device.Gpu device =
        new Device.Gpu(accelerator.name() + ":0", "0", config.workers().precision().onGpu());
    device.bind();
    return GpuBenchmark.run(
        Workload.of(config, objective), () -> accelerator.open(device), steps, peak);
  }

  private String plan(JobConfig config) {
    Workload work = Workload.of(config, objective);
    Precision precision = config.workers().precision().onGpu();
    return StepPlan.describe(objective, work.batchSize(), StepPlan.of(work, precision));
  }

  private static String json(JobConfig config, GpuBenchmark.Result r)
      throws JsonProcessingException {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("objective", KebabCase.of(r.objective()));
    fields.put("model", config.model().preset());
    fields.put("patch", config.model().patch());
    fields.put("batch", r.batchSize());
    fields.put("kernels", "gpu");
    fields.put("precision", KebabCase.of(config.workers().precision().onGpu()));
    fields.put("images_per_second", r.imagesPerSecond());
    fields.put("step_seconds", r.stepSeconds());
    fields.put("gflops", r.gflops());
    fields.put("gemm_peak_gflops", r.productGflops());
    fields.put("share_of_peak", r.shareOfPeak());
    fields.put("copy_gigabytes_per_second", r.copyGigabytes());
    fields.put("kernel_seconds", r.kernelSeconds());
    fields.put("minibatch_seconds", r.minibatchSeconds());
    fields.put("kernel_calls", r.launches());
    return new ObjectMapper().writeValueAsString(fields) + System.lineSeparator();
  }

  private static String preset(JobConfig config) {
    return "%s patch %s, %s, "
        .formatted(
            config.model().preset(),
            config.model().patch(),
            KebabCase.of(config.workers().precision().onGpu()));
  }

  private void override(String key, Object value) {
    if (value != null) {
      options.override(key, value);
    }
  }

  private static String text(JobConfig config, Benchmark.Result result) {
    return String.format(
        Locale.ROOT,
        "%s%n%s patch %d, %s%-22s %8.0f MB%n",
        Processor.describe(),
        config.model().preset(),
        config.model().patch(),
        Benchmark.describe(result),
        "peak memory",
        TaskInfo.highWaterMark() / 1e6);
  }

  private static String json(JobConfig config, Benchmark.Result r) throws JsonProcessingException {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("objective", KebabCase.of(r.objective()));
    fields.put("model", config.model().preset());
    fields.put("patch", config.model().patch());
    fields.put("batch", r.batchSize());
    fields.put("threads", r.threads());
    fields.put("kernels", r.kernels());
    fields.put("processor", Processor.describe());
    fields.put("images_per_second", r.imagesPerSecond());
    fields.put("step_seconds", r.stepSeconds());
    fields.put("gflops", r.gflops());
    fields.put("gemm_peak_gflops", r.gemmPeakGflops());
    fields.put("share_of_peak", r.shareOfPeak());
    fields.put("peak_rss_mb", TaskInfo.highWaterMark() / 1e6);
    fields.put("kernel_seconds", r.kernelSeconds());
    fields.put("minibatch_seconds", r.minibatchSeconds());
    fields.put("outside_kernels_seconds", r.outsideSeconds());
    fields.put("kernel_calls", r.kernelCalls());
    fields.put("nd4j_calls", r.nd4jCalls());
    return new ObjectMapper().writeValueAsString(fields) + System.lineSeparator();
  }
}
