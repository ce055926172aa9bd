package org.mixtraining.cli;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.mapping;
import static java.util.stream.Collectors.toSet;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.mixtraining.checkpoint.Checkpoint;
import org.mixtraining.checkpoint.Checkpoints;
import org.mixtraining.checkpoint.Checkpoints.Model;
import org.mixtraining.config.DataConfig;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.KebabCase;
import org.mixtraining.config.Location;
import org.mixtraining.config.UserException;
import org.mixtraining.data.DatasetManifest;
import org.mixtraining.data.Split;
import org.mixtraining.data.preview.Completions;
import org.mixtraining.data.preview.Thumbnails;
import org.mixtraining.files.WholeFile;
import org.mixtraining.jobs.RecordedData;
import org.mixtraining.report.ComparisonFacts;
import org.mixtraining.report.ComparisonReport;
import org.mixtraining.report.Pictures;
import org.mixtraining.report.Report;
import org.mixtraining.report.RunFacts;
import org.mixtraining.report.RunReport;
import org.mixtraining.results.PredictionRow;
import org.mixtraining.results.RowReader;
import org.mixtraining.results.RunRow;
import org.mixtraining.results.Tables;
import org.mixtraining.spark.FrozenModel;
import org.mixtraining.vit.Reconstruction;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code report}: a run or a comparison as one HTML file. */
@Command(
    name = "report",
    mixinStandardHelpOptions = true,
    description = "Writes a report on a run or a comparison as one HTML file.")
final class ReportCommand implements Callable<Integer> {

  @Mixin private JobOptions options;

  @ArgGroup(multiplicity = "1")
  private Subject subject;

  /** What the report is about. */
  private static final class Subject {
    @Option(names = "--run", paramLabel = "RUN_ID", description = "The run to report on.")
    private String run;

    @Option(names = "--compare", paramLabel = "NAME", description = "The comparison to report on.")
    private String comparison;
  }

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE.html",
      required = true,
      description = "The file to write; an existing one is replaced.")
  private Path file;

  @Option(names = "--json", description = "A JSON object that describes what was written.")
  private boolean json;

  @Override
  public Integer call() throws JsonProcessingException {
    if (!Files.isDirectory(file.toAbsolutePath().getParent()) || Files.isDirectory(file)) {
      throw new UserException("-o %s: must be a file in a directory that exists".formatted(file));
    }
    String output = options.config().run().output();
    try (Sessions.Opened opened = Sessions.local("report")) {
      SparkSession spark = opened.spark();
      Tables.register(spark, output);
      RowReader tables = new RowReader(spark);
      Report report =
          subject.run != null
              ? ofRun(JavaSparkContext.fromSparkContext(spark.sparkContext()), tables, output)
              : ofComparison(tables, output);
      long bytes = write(report.render());
      report.omissions().forEach(o -> options.progress("without " + o.section() + ": " + o.why()));
      System.out.println(
          json ? json(report, bytes) : "%s (%s kB)".formatted(file, (bytes + 999) / 1000));
    }
    return 0;
  }

  private Report ofComparison(RowReader tables, String output) {
    ComparisonFacts facts = ComparisonFacts.read(tables, subject.comparison);
    if (facts.runs().isEmpty()) {
      throw new UserException(
          "--compare %s: no such comparison in %s/tables; set mixtraining.run.output to the output directory of the comparison"
              .formatted(subject.comparison, output));
    }
    return ComparisonReport.of(facts);
  }

  // --- a run -----------------------------------------------------------------------------------

  private Report ofRun(JavaSparkContext spark, RowReader tables, String output) {
    RunRow run = options.run("--run", subject.run);
    RunFacts facts = RunFacts.read(tables, run);
    return RunReport.of(facts, pictures(spark, facts, output));
  }

  /** What the report can show of images; where one cannot be had, it says why. */
  private Pictures pictures(JavaSparkContext spark, RunFacts facts, String output) {
    JobConfig config = options.over(facts.run().setup().config());
    try {
      RecordedData.checkLabelled(spark.hadoopConfiguration(), config, facts.run().setup());
    } catch (UserException | UncheckedIOException e) {
      return new Pictures(Map.of(), e.getMessage(), List.of(), e.getMessage());
    }
    Found<Map<String, Map<Long, byte[]>>> samples =
        Found.of(() -> samples(spark, facts, config), Map.of());
    Found<List<Completions.Completion>> completions =
        Found.of(() -> completions(spark, facts.run(), config, output), List.of());
    return new Pictures(samples.found, samples.why, completions.found, completions.why);
  }

  /** What was found, or why nothing was. */
  private record Found<T>(T found, String why) {

    static <T> Found<T> of(Supplier<T> search, T nothing) {
      try {
        return new Found<>(search.get(), "");
      } catch (UserException | UncheckedIOException e) {
        return new Found<>(nothing, e.getMessage());
      }
    }
  }

  private static Map<String, Map<Long, byte[]>> samples(
      JavaSparkContext spark, RunFacts facts, JobConfig config) {
    Map<String, Set<Long>> wanted =
        facts.samples().stream()
            .collect(groupingBy(PredictionRow::task, mapping(PredictionRow::id, toSet())));
    Map<String, Map<Long, byte[]>> samples = new HashMap<>();
    for (DataConfig.Task task : config.data().labelled()) {
      var manifest = DatasetManifest.read(spark.hadoopConfiguration(), task.path());
      samples.put(
          task.name(),
          Thumbnails.of(
              spark.hadoopConfiguration(),
              task.path(),
              manifest,
              Split.TEST,
              wanted.getOrDefault(task.name(), Set.of())));
    }
    return samples;
  }

  private static List<Completions.Completion> completions(
      JavaSparkContext spark, RunRow run, JobConfig config, String output) {
    Checkpoint checkpoint =
        new Checkpoints(spark.hadoopConfiguration(), output, run.runId())
            .read(Model.FINAL)
            .orElseThrow(
                () ->
                    new UserException(
                        "There is no final model in %s/checkpoints; the run is %s."
                            .formatted(output, KebabCase.of(run.status()))));
    FrozenModel frozen = new FrozenModel(spark, config, checkpoint.state().model());
    var shown =
        new Completions(
            spark.hadoopConfiguration(), config.data().labelled().get(0).path(), frozen.manifest());
    Reconstruction made =
        frozen
            .reconstruct(shown.images())
            .orElseThrow(
                () ->
                    new UserException(
                        "The run has trained no decoder, since its pipeline is %s."
                            .formatted(KebabCase.of(config.pipeline()))));
    return shown.pictures(made.seen(), made.completed());
  }

  // --- the file --------------------------------------------------------------------------------

  private long write(String html) {
    byte[] bytes = html.getBytes(StandardCharsets.UTF_8);
    try {
      new WholeFile(Location.path(file.toAbsolutePath().toString()), Sessions.hadoop())
          .write(out -> out.write(bytes));
      return bytes.length;
    } catch (IOException e) {
      throw new UserException("-o %s: cannot be written: %s".formatted(file, e));
    }
  }

  private String json(Report report, long bytes) throws JsonProcessingException {
    Map<String, Object> told = new LinkedHashMap<>();
    told.put("file", file.toString());
    told.put("bytes", bytes);
    told.put("subject", subject.run != null ? "run" : "comparison");
    told.put("id", subject.run != null ? subject.run : subject.comparison);
    told.put("sections", report.sectionIds());
    told.put("missing", report.omissions());
    return new ObjectMapper().writeValueAsString(told);
  }
}
