package org.mixtraining.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import org.mixtraining.config.Comparison;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.UserException;
import org.mixtraining.jobs.Versions;
import org.mixtraining.spark.PlannedWork;
import org.mixtraining.spark.ResourcePlan;
import org.mixtraining.spark.ResourcePlan.Scheduler;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Unmatched;

/**
 * {@code resources}: the cluster resources that a command needs; the launchers in submit/ call it.
 */
@Command(
    name = "resources",
    mixinStandardHelpOptions = true,
    customSynopsis = "mixtraining resources [OPTIONS] [COMMAND [OPTIONS of COMMAND]]",
    description =
        "Prints the cluster resources that training needs; or, with --for, the spark-submit settings for the command that follows.")
final class ResourcesCommand implements Callable<Integer> {

  /** Commands that compute with a model; the others take the cluster as it is. */
  private static final Set<String> TRAINING = Set.of("train", "compare", "evaluate");

  @Mixin private JobOptions options;

  @Option(
      names = "--for",
      paramLabel = "standalone|yarn|kubernetes",
      description = "Print Spark's settings for this scheduler, one per line, as name=value.")
  private Scheduler scheduler;

  @Option(
      names = "--manifest",
      paramLabel = "IMAGE",
      description =
          "Print a SparkApplication of the Kubernetes operator for the command that follows, in this image, as JSON for kubectl apply -f -.")
  private String image;

  @Spec private CommandSpec spec;

  @Unmatched private List<String> command = new ArrayList<>();

  @Override
  public Integer call() {
    if (image != null) {
      return manifest();
    }
    if (scheduler == null) {
      System.out.print(plan().describe());
      return 0;
    }
    settings(scheduler).entrySet().stream()
        .sorted(Map.Entry.comparingByKey())
        .forEach(setting -> System.out.println(setting.getKey() + "=" + setting.getValue()));
    return 0;
  }

  private int manifest() {
    if (command.isEmpty() || (scheduler != null && scheduler != Scheduler.KUBERNETES)) {
      throw new UserException(
          "--manifest %s: needs the command that it is to run after it, and is for Kubernetes alone"
              .formatted(image));
    }
    List<String> given = spec.commandLine().getParseResult().originalArgs();
    List<String> words = given.subList(given.indexOf(command.get(0)), given.size());
    System.out.println(
        new SparkApplication(
                image, words, settings(Scheduler.KUBERNETES), Versions.provenance().sparkVersion())
            .json());
    return 0;
  }

  private Map<String, String> settings(Scheduler scheduler) {
    boolean trains = command.isEmpty() || TRAINING.contains(command.get(0));
    return trains ? settings(scheduler, plan()) : ResourcePlan.processes(Embedded.FLAGS);
  }

  private Map<String, String> settings(Scheduler scheduler, ResourcePlan plan) {
    if (plan.need().isEmpty()) {
      options.progress(
          "memory is left to Spark's settings: there is no prepared dataset yet to compute it from");
    }
    return plan.settings(scheduler, Embedded.FLAGS);
  }

  private ResourcePlan plan() {
    if (!command.isEmpty() && command.get(0).equals("compare")) {
      Comparison comparison = options.comparison();
      return PlannedWork.resources(Sessions.hadoop(), comparison.largest(), comparison.parallel());
    }
    JobConfig config = options.config();
    return PlannedWork.resources(Sessions.hadoop(), config, 1);
  }
}
