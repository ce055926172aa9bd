package org.mixtraining.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.Spelling;
import org.mixtraining.kernels.Engine;
import org.mixtraining.schedule.Objective;
import org.mixtraining.spark.Place;
import org.mixtraining.train.Benchmark;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code bench}: how fast this machine trains, and where the time goes. */
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
      description = "What the steps minimise (default: ${DEFAULT-VALUE}).")
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
      paramLabel = "cpu|nd4j",
      description = "Which implementation computes (default: ${DEFAULT-VALUE}).")
  private Implementation kernels;

  @Option(
      names = "--steps",
      defaultValue = "10",
      description = "Steps to time (default: ${DEFAULT-VALUE}).")
  private int steps;

  @Option(names = "--json", description = "One JSON object instead of text.")
  private boolean json;

  private enum Implementation {
    CPU,
    ND4J
  }

  @Override
  public Integer call() throws JsonProcessingException {
    override("model.preset", model);
    override("model.patch", patch);
    override("optimizer.batch-size", batch);
    override("workers.threads-per-worker", threads);
    JobConfig config = options.config();
    try (Engine engine =
        switch (kernels) {
          case CPU -> Engine.cpu(config.workers().threadsPerWorker());
          case ND4J -> Engine.nd4j();
        }) {
      Benchmark.Result result = Benchmark.run(config, objective, engine, steps);
      System.out.print(json ? json(config, result) : text(config, result));
    }
    return 0;
  }

  private void override(String key, Object value) {
    if (value != null) {
      options.override(key, value);
    }
  }

  private static String text(JobConfig config, Benchmark.Result result) {
    return "%s patch %d, %s%-22s %8.0f MB%n"
        .formatted(
            config.model().preset(),
            config.model().patch(),
            Benchmark.describe(result),
            "peak memory",
            Place.highWaterMark() / 1e6);
  }

  private static String json(JobConfig config, Benchmark.Result r) throws JsonProcessingException {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("objective", Spelling.of(r.objective()));
    fields.put("model", config.model().preset());
    fields.put("patch", config.model().patch());
    fields.put("batch", r.batchSize());
    fields.put("threads", r.threads());
    fields.put("kernels", r.kernels());
    fields.put("images_per_second", r.imagesPerSecond());
    fields.put("step_seconds", r.stepSeconds());
    fields.put("gflops", r.gflops());
    fields.put("gemm_peak_gflops", r.gemmPeakGflops());
    fields.put("share_of_peak", r.shareOfPeak());
    fields.put("peak_rss_mb", Place.highWaterMark() / 1e6);
    fields.put("kernel_seconds", r.kernelSeconds());
    fields.put("minibatch_seconds", r.minibatchSeconds());
    fields.put("outside_kernels_seconds", r.outsideSeconds());
    fields.put("kernel_calls", r.kernelCalls());
    fields.put("nd4j_calls", r.nd4jCalls());
    return new ObjectMapper().writeValueAsString(fields) + System.lineSeparator();
  }
}
