package org.mixtraining.cli;

import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.SparkSession;
import org.mixtraining.config.DataConfig;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.Layout;
import org.mixtraining.config.UserException;
import org.mixtraining.data.DatasetManifest;
import org.mixtraining.data.prepare.Prepare;
import org.mixtraining.data.preview.Preview;
import org.mixtraining.jobs.Interruption;
import org.mixtraining.jobs.Writable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code prepare}: raw images to shards. */
@Command(
    name = "prepare",
    mixinStandardHelpOptions = true,
    description =
        "Turns raw images (mixtraining.data.format, mixtraining.data.source) into shards (mixtraining.data.path).")
final class PrepareCommand implements Callable<Integer> {

  @Mixin private JobOptions options;

  @Option(names = "--force", description = "Rebuild an existing dataset.")
  private boolean force;

  @Option(names = "--keep", description = "Leave an existing dataset as it is, and describe it.")
  private boolean keep;

  @Option(
      names = "--preview",
      paramLabel = "FILE.png",
      description =
          "Also draw some images, augmented as in training. An existing dataset is only drawn, not prepared again.")
  private Path file;

  @Option(
      names = "--json",
      description = "The result as one JSON object: the content of dataset.json.")
  private boolean json;

  @Override
  public Integer call() {
    JobConfig config = options.config();
    if (!config.data().tasks().isEmpty()) {
      throw new UserException(
          "mixtraining.data.tasks: names datasets that are already prepared; prepare makes one from mixtraining.data.format and mixtraining.data.source in mixtraining.data.path: set those instead");
    }
    if (force && keep) {
      throw new UserException("--keep and --force: an existing dataset is either kept or rebuilt");
    }
    if (force) {
      Layout.checkReplaced(config);
    }
    Optional<Preview> preview = Optional.ofNullable(file).map(png -> new Preview(config, png));
    try (Interruption interruption = Interruption.bySignal();
        Sessions.Opened opened = Sessions.local("prepare")) {
      SparkSession spark = opened.spark();
      interruption.cancels(spark.sparkContext());
      Configuration hadoop = spark.sparkContext().hadoopConfiguration();
      String path = config.data().path();
      if (keep && DatasetManifest.exists(hadoop, path)) {
        DatasetManifest kept = DatasetManifest.read(hadoop, path);
        System.out.println(json ? kept.json() : kept.describe());
      } else if (force || preview.isEmpty() || !DatasetManifest.exists(hadoop, path)) {
        DatasetManifest made = interruption.during("prepare", () -> prepare(spark, config.data()));
        System.out.println(json ? made.json() : made.describe());
      }
      if (preview.isPresent()) {
        preview.get().write(hadoop);
        options.progress("preview of %s in %s".formatted(path, file));
      }
    }
    return 0;
  }

  private DatasetManifest prepare(SparkSession spark, DataConfig data) {
    Writable.check(Sessions.hadoop(), "mixtraining.data.path =", data.path());
    options.progress("preparing %s in %s".formatted(data.raw().format(), data.path()));
    Prepare.Existing existing = force ? Prepare.Existing.REPLACE : Prepare.Existing.REFUSE;
    return Prepare.run(spark, data, existing, options::progress);
  }
}
