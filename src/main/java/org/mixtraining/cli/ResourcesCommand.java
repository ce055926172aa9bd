package org.mixtraining.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import org.mixtraining.config.Comparison;
import org.mixtraining.config.JobConfig;
import org.mixtraining.spark.PlannedWork;
import org.mixtraining.spark.ResourcePlan;
import org.mixtraining.spark.ResourcePlan.Scheduler;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Unmatched;

/**
 * {@code resources}: the cluster resources that a command needs; the launchers in submit/ call it.
 */
@Command(
    name = "resources",
    mixinStandardHelpOptions = true,
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

  @Unmatched private List<String> command = new ArrayList<>();

  @Override
  public Integer call() {
    if (scheduler == null) {
      System.out.print(plan().describe());
      return 0;
    }
    boolean trains = command.isEmpty() || TRAINING.contains(command.get(0));
    Map<String, String> settings =
        trains ? settings(plan()) : ResourcePlan.processes(Embedded.FLAGS);
    settings.entrySet().stream()
        .sorted(Map.Entry.comparingByKey())
        .forEach(setting -> System.out.println(setting.getKey() + "=" + setting.getValue()));
    return 0;
  }

  private Map<String, String> settings(ResourcePlan plan) {
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
