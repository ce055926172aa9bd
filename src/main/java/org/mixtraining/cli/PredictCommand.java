package org.mixtraining.cli;

import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.lit;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.mixtraining.config.DataConfig;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.Location;
import org.mixtraining.config.UserException;
import org.mixtraining.data.Note;
import org.mixtraining.data.sources.Input;
import org.mixtraining.data.sources.Inputs;
import org.mixtraining.files.Staging;
import org.mixtraining.formats.ModelCard;
import org.mixtraining.formats.TrainedModel;
import org.mixtraining.jobs.Interruption;
import org.mixtraining.jobs.Writable;
import org.mixtraining.spark.ClusterPrediction;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code predict}: predictions of a trained model for images without labels. */
@Command(
    name = "predict",
    mixinStandardHelpOptions = true,
    description = "Writes a table with the class probabilities of every image under a path.")
final class PredictCommand implements Callable<Integer> {

  @Mixin private JobOptions options;
  @Mixin private ModelOptions model;

  @Parameters(
      paramLabel = "IMAGES",
      description =
          "A directory of JPEG and PNG files at any depth, or one such file; an IDX file; a Parquet table with a column image, img or content.")
  private String images;

  @Option(
      names = "-o",
      paramLabel = "DIR",
      defaultValue = "predictions",
      description = "Directory of the Parquet table that is written (default: predictions).")
  private String output;

  @Option(names = "--force", description = "Replace an existing table.")
  private boolean force;

  @Option(names = "--json", description = "A JSON object that describes what was written.")
  private boolean json;

  @Override
  public Integer call() {
    JobConfig config = options.config();
    try (Interruption interruption = Interruption.bySignal();
        Sessions.Opened opened = Sessions.local("predict")) {
      SparkSession spark = opened.spark();
      interruption.cancels(spark.sparkContext());
      var hadoop = spark.sparkContext().hadoopConfiguration();
      TrainedModel trained = model.load(hadoop, config.run().output());
      ModelCard.Task task = trained.task("--task", model.task());
      Path table = place();
      System.out.println(
          interruption.during("predict", () -> predict(spark, trained, task, config, table)));
      return 0;
    }
  }

  private Path place() {
    try {
      return Location.path(output);
    } catch (IllegalArgumentException e) {
      throw new UserException("-o %s: %s".formatted(output, e.getMessage()));
    }
  }

  /** Refuses to replace what is there, unless it is a table and is to be replaced. */
  private void checkPlace(FileSystem files, Path table) throws IOException {
    if (!files.exists(table)) {
      return;
    }
    boolean isTable =
        files.getFileStatus(table).isDirectory()
            && (files.exists(new Path(table, "_SUCCESS"))
                || !files.listStatusIterator(table).hasNext());
    if (!isTable) {
      throw new UserException(
          "-o %s: is not a table of predictions (it has no _SUCCESS); choose a new directory"
              .formatted(output));
    }
    if (!force) {
      throw new UserException("-o %s: exists already; --force replaces it".formatted(output));
    }
  }

  private String predict(
      SparkSession spark, TrainedModel trained, ModelCard.Task task, JobConfig config, Path table) {
    DataConfig data = config.data();
    var form =
        new Input.Form(
            task.channels(), task.imageSize(), task.crop(), data.preparation().maxPixels());
    try (Staging staging =
        new Staging(spark.sparkContext(), table, "_SUCCESS", options::progress)) {
      var hadoop = spark.sparkContext().hadoopConfiguration();
      FileSystem files = table.getFileSystem(hadoop);
      checkPlace(files, table);
      if (!files.exists(table)) {
        Writable.check(hadoop, "-o", table.toString());
      }
      Inputs inputs = Inputs.read(spark, images, data, form);
      String made = staging.directory("-o " + output).toString();
      ClusterPrediction.of(spark, trained, task, inputs.images(), config.workers())
          .write()
          .parquet(made);
      Row counts =
          spark
              .read()
              .options(Location.LITERALLY)
              .parquet(made)
              .agg(count(lit(1)), count("error"))
              .first();
      staging.publish();
      return summary(counts.getLong(0), counts.getLong(1), inputs.notes());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private record Told(String table, long images, long predicted, long errors, List<Note> notes) {}

  private String summary(long all, long unusable, List<Note> notes) throws IOException {
    if (json) {
      return new ObjectMapper()
          .writeValueAsString(new Told(output, all, all - unusable, unusable, notes));
    }
    return "%s images of %s by %s: %s predicted, %s cannot be used (column error says why)%n%stable in %s"
        .formatted(
            all,
            images,
            model.named(),
            all - unusable,
            unusable,
            notes.stream().map(note -> note.line() + "\n").collect(Collectors.joining()),
            output);
  }
}
