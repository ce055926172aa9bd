package org.mixtraining.results;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.ser.std.ToStringSerializer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.mixtraining.config.KebabCase;
import org.mixtraining.files.WholeFile;

/**
 * Summary of a run for other programs: {@code summary.json}. Its keys are these components in
 * snake_case; keys may be added, and none changes its meaning.
 *
 * @param status running, finished, failed or interrupted; a run whose driver was killed stays
 *     running
 * @param exitCode the exit code of the command that trained it, but 1 also where that was 2 because
 *     the data was bad; null while it is running
 * @param exitMeaning of that code
 * @param resumable whether the same command would resume it
 * @param error the reason of a failure, else null
 * @param models paths of its models
 * @param tables path of the result tables
 */
public record RunSummary(
    String runId,
    String status,
    Integer exitCode,
    String exitMeaning,
    boolean resumable,
    String error,
    Instant started,
    Instant ended,
    int epochsDone,
    int epochsPlanned,
    Boolean stoppedEarly,
    Accuracy accuracy,
    Cost cost,
    Models models,
    String stateSha256,
    String tables) {

  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(SerializationFeature.INDENT_OUTPUT)
          .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
          .addModule(new SimpleModule().addSerializer(Instant.class, ToStringSerializer.instance))
          .build();

  /**
   * Shares from 0 to 1; null where nothing was evaluated.
   *
   * @param bestEpoch last epoch with the highest validation accuracy, from 1
   * @param bestValidation that accuracy
   * @param testAtBest test accuracy after that epoch
   * @param finalTest test accuracy after the last finished epoch
   */
  public record Accuracy(
      Integer bestEpoch, Double bestValidation, Double testAtBest, Double finalTest) {}

  /**
   * Of the finished epochs.
   *
   * @param seconds wall time
   * @param deviceSeconds time that workers held devices to train, a core or a GPU each
   * @param flops floating-point operations of training by formula
   * @param images images trained on
   * @param evaluationSeconds wall time of evaluation, which {@code seconds} holds too; this and the
   *     following are null for older versions
   * @param evaluationDeviceSeconds time that devices evaluated
   * @param evaluationFlops floating-point operations of evaluation by formula
   */
  public record Cost(
      double seconds,
      double deviceSeconds,
      double flops,
      long images,
      Double evaluationSeconds,
      Double evaluationDeviceSeconds,
      Double evaluationFlops) {}

  /**
   * Files of models; null where there is none yet.
   *
   * @param best the best on validation
   * @param last that of the last epoch
   */
  public record Models(String best, String last) {

    /** The best on validation, or without validation the last. */
    public String chosen() {
      return best == null ? last : best;
    }
  }

  /** Of a run's row. */
  static RunSummary of(RunRow row, Models models, String tables) {
    RunRow.Progress p = row.progress();
    Integer code =
        switch (row.status()) {
          case RUNNING -> null;
          case FINISHED -> 0;
          case FAILED -> 1;
          case INTERRUPTED -> 3;
        };
    return new RunSummary(
        row.runId(),
        KebabCase.of(row.status()),
        code,
        switch (row.status()) {
          case RUNNING -> null;
          case FINISHED -> "done";
          case FAILED -> "failed; fix the cause and run the same command to resume";
          case INTERRUPTED -> "interrupted; run the same command to resume";
        },
        row.status() != RunRow.Status.FINISHED,
        row.error(),
        row.started(),
        row.ended(),
        p.epochsDone(),
        row.setup().epochsPlanned(),
        row.stoppedEarly(),
        new Accuracy(
            p.bestEpoch(),
            p.bestValidationAccuracy(),
            p.testAccuracyAtBest(),
            p.finalTestAccuracy()),
        new Cost(
            p.seconds(),
            p.deviceSeconds(),
            p.flops(),
            p.images(),
            p.evaluationSeconds(),
            p.evaluationDeviceSeconds(),
            p.evaluationFlops()),
        models,
        row.stateSha256(),
        tables);
  }

  /** The directory of a run's summary below an output directory. */
  static Path directory(Path output, String runId) {
    return new Path(new Path(output, "summaries"), runId);
  }

  /** Puts it beside the tables of an output directory, in one step like their rows. */
  void write(Path output, Configuration conf) throws IOException {
    new WholeFile(new Path(directory(output, runId), "summary.json"), conf)
        .write(out -> out.write(json().getBytes(StandardCharsets.UTF_8)));
  }

  /** One JSON object, its last line ended. */
  public String json() {
    try {
      return JSON.writeValueAsString(this) + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }
}
