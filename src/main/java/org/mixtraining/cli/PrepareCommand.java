package org.mixtraining.cli;

import java.util.concurrent.Callable;
import org.apache.spark.sql.SparkSession;
import org.mixtraining.config.JobConfig;
import org.mixtraining.data.DatasetManifest;
import org.mixtraining.data.Prepare;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code prepare}: raw images to shards. */
@Command(
    name = "prepare",
    mixinStandardHelpOptions = true,
    description = "Turns raw images (data.format, data.source) into shards (data.path).")
final class PrepareCommand implements Callable<Integer> {

  @Mixin private JobOptions options;

  @Option(names = "--force", description = "Replace the dataset that is there already.")
  private boolean force;

  @Override
  public Integer call() {
    JobConfig.Data data = options.config().data();
    options.progress("preparing %s in %s".formatted(data.format(), data.path()));
    try (SparkSession spark = Sessions.local("prepare")) {
      DatasetManifest manifest =
          Prepare.run(
              spark,
              data,
              force ? Prepare.Existing.REPLACE : Prepare.Existing.REFUSE,
              options::progress);
      System.out.println(manifest.describe());
    }
    return 0;
  }
}
