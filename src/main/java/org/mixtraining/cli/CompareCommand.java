package org.mixtraining.cli;

import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.apache.commons.lang3.function.Failable;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.SparkSession;
import org.mixtraining.config.Comparison;
import org.mixtraining.config.DataConfig;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.Secrets;
import org.mixtraining.data.DatasetManifest;
import org.mixtraining.data.prepare.Prepare;
import org.mixtraining.jobs.ComparisonPlan;
import org.mixtraining.jobs.ComparisonRunner;
import org.mixtraining.jobs.Interruption;
import org.mixtraining.jobs.Writable;
import org.mixtraining.results.Catalog;
import org.mixtraining.results.ComparisonRow;
import org.mixtraining.results.Format;
import org.mixtraining.results.Query;
import org.mixtraining.results.Tables;
import org.mixtraining.run.TrainingData;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code compare}: trains every arm in every setting with every seed, and compares the results. */
@Command(
    name = "compare",
    mixinStandardHelpOptions = true,
    description =
        "Trains the missing runs of a comparison (the block compare) and prints the results of its arms.")
final class CompareCommand implements Callable<Integer> {

  @Mixin private JobOptions options;

  @Option(
      names = "--dry-run",
      description = "Only list the runs, their epochs, FLOPs and estimated cost.")
  private boolean dryRun;

  @Option(
      names = "--gflops",
      paramLabel = "RATE",
      description =
          "GFLOP/s of one worker, as bench prints it, for estimates while no run is finished.")
  private Double gflops;

  @Option(names = "--json", description = "The result, or the plan, as a JSON array of objects.")
  private boolean json;

  @Override
  public Integer call() {
    Comparison comparison = options.comparison();
    JobConfig common = comparison.common();
    Configuration hadoop = Sessions.hadoop();
    Tables tables = new Tables(hadoop, common.run().output());
    ComparisonPlan plan = ComparisonPlan.of(comparison, hadoop, tables);
    if (dryRun) {
      System.out.print((json ? Format.JSON : Format.TEXT).print(plan.describe(gflops)));
      options.progress(plan.summary(gflops));
      plan.notes(hadoop).forEach(options::progress);
      return 0;
    }
    Writable.check(hadoop, "mixtraining.run.output =", common.run().output());
    tables.write(comparison.runs().stream().map(run -> row(comparison, run)).toList());
    try (Interruption interruption = Interruption.bySignal();
        Sessions.Opened opened = session(comparison, plan)) {
      SparkSession spark = opened.spark();
      interruption.cancels(spark.sparkContext());
      Catalog.of(common.results(), Optional.of(spark)).ifPresent(tables::also);
      forgetOthers(spark, comparison, tables);
      prepareMissing(spark, hadoop, plan);
      plan.left().forEach(run -> TrainingData.open(hadoop, run.config()));
      ComparisonPlan ready = ComparisonPlan.of(comparison, hadoop, tables);
      options.progress(ready.summary(gflops));
      ready.notes(hadoop).forEach(options::progress);
      List<Throwable> failures =
          new ComparisonRunner(spark, interruption, options::progress).train(ready);
      print(spark, comparison);
      if (!failures.isEmpty()) {
        throw Failable.rethrow(failures.get(0));
      }
    }
    return 0;
  }

  private static Sessions.Opened session(Comparison comparison, ComparisonPlan plan) {
    String name = "compare " + comparison.name();
    return plan.left().isEmpty()
        ? Sessions.local(name)
        : Sessions.training(name, widest(comparison), comparison.parallel());
  }

  /** The run with most workers: executors that serve it serve the others. */
  private static JobConfig widest(Comparison comparison) {
    return comparison.largest().stream()
        .max(Comparator.comparingInt(config -> config.workers().count()))
        .orElseThrow();
  }

  /** Forgets the places of runs that the comparison had, and has no more; not the runs. */
  private static void forgetOthers(SparkSession spark, Comparison comparison, Tables tables) {
    Set<String> planned =
        comparison.runs().stream().map(Comparison.Run::id).collect(Collectors.toSet());
    Tables.register(spark, comparison.common().run().output());
    spark
        .sql("select run_id from comparisons where comparison = '%s'".formatted(comparison.name()))
        .as(Encoders.STRING())
        .collectAsList()
        .stream()
        .filter(id -> !planned.contains(id))
        .forEach(tables::forgetPlace);
  }

  private static ComparisonRow row(Comparison comparison, Comparison.Run run) {
    Comparison.Setting setting = run.setting();
    return new ComparisonRow(
        run.id(),
        comparison.name(),
        setting.dataset(),
        setting.fraction(),
        setting.labelFraction(),
        run.arm(),
        comparison.baseline());
  }

  /** Datasets that other commands would have to be given one by one. */
  private void prepareMissing(SparkSession spark, Configuration hadoop, ComparisonPlan plan) {
    Set<String> seen = new LinkedHashSet<>();
    for (Comparison.Run run : plan.left()) {
      DataConfig data = run.config().data();
      if (data.tasks().isEmpty()
          && seen.add(data.path())
          && !DatasetManifest.exists(hadoop, data.path())) {
        Writable.check(hadoop, "mixtraining.data.path =", data.path());
        options.progress(
            "preparing %s in %s".formatted(data.raw().format(), Secrets.inText(data.path())));
        options.progress(
            Prepare.run(spark, data, Prepare.Existing.REFUSE, options::progress).describe());
      }
    }
  }

  // --- results ---------------------------------------------------------------------------------

  private void print(SparkSession spark, Comparison comparison) {
    Tables.register(spark, comparison.common().run().output());
    String of = "from settings where comparison = '%s'".formatted(comparison.name());
    if (json) {
      new Query(spark, Format.JSON, System.out).run("select * " + of);
    } else {
      new Query(spark, Format.TEXT, System.out).run(SETTINGS + of + ";" + ARMS.formatted(of));
    }
  }

  private static final String SETTINGS =
      """
      select dataset, fraction, label_fraction as labels, arm, concat(runs, '/', planned) as runs,
        format_number(100 * validation_accuracy, 2) as `validation %`,
        concat(format_number(100 * accuracy, 2),
          coalesce(concat(' ± ', format_number(100 * accuracy_deviation, 2)), '')) as `test %`,
        round(device_seconds, 1) as seconds, round(flops / 1e12, 2) as tflop,
        round(evaluation_flops / 1e12, 2) as `tflop of evaluation`,
        concat(format_string('%+.2f', 100 * gain),
          coalesce(concat(' ± ', format_number(100 * gain_margin, 2)), '')) as points,
        concat(format_number(times_cheaper, 2), 'x') as faster,
        concat(format_number(times_fewer_flops, 2), 'x') as `fewer flop`,
        if(ahead, 'yes', 'no') as ahead, if(pareto, 'yes', 'no') as pareto
      """;

  private static final String ARMS =
      """
      select arm, count(*) as settings, avg(100 * gain) as `points, mean`,
        exp(avg(ln(times_cheaper))) as `times faster, mean`,
        count_if(gain > 0) as `more accurate`, count_if(times_cheaper > 1) as faster,
        count_if(ahead) as `ahead on both`
      %s group by arm order by arm
      """;
}
