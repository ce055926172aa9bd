package org.mixtraining.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.core.config.Configurator;
import org.mixtraining.config.Comparison;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.Layout;
import org.mixtraining.config.UserException;
import org.mixtraining.results.RunRow;
import org.mixtraining.results.Tables;
import picocli.CommandLine.Option;

/** The options that every command has. */
final class JobOptions {

  @Option(
      names = "--conf",
      paramLabel = "FILE",
      description = "Configuration file (HOCON); keys it leaves out keep their defaults.")
  private Path file;

  @Option(
      names = "-D",
      paramLabel = "KEY=VALUE",
      description =
          "Sets one key, overriding the file; may be repeated. Example: -D workers.count=4")
  private List<String> overrides = new ArrayList<>();

  private boolean quiet;

  private final Screen screen = Screen.ofProcess();

  @Option(
      names = "--quiet",
      description = "No progress, only results, notices, warnings and errors.")
  private void quiet(boolean given) {
    quiet = given;
    if (given) {
      Configurator.setLevel("org.mixtraining", Level.WARN);
    }
  }

  /** Sets a key for which a command has an option of its own. */
  void override(String key, Object value) {
    overrides.add(key + "=" + value);
  }

  /**
   * @throws UserException if the configuration is not valid
   */
  JobConfig config() {
    JobConfig config = JobConfig.load(Optional.ofNullable(file), overrides);
    Layout.check(config);
    return config;
  }

  /**
   * What is given here over another configuration in place of the defaults.
   *
   * @throws UserException if the configuration is not valid
   */
  JobConfig over(String canonical) {
    return JobConfig.load(canonical, Optional.ofNullable(file), overrides);
  }

  /**
   * A run that is in the tables.
   *
   * @param option the command's option that names it
   * @throws UserException if there is none
   */
  RunRow run(String option, String id) {
    String output = config().run().output();
    return new Tables(Sessions.hadoop(), output)
        .run(id)
        .orElseThrow(
            () ->
                new UserException(
                    "%s %s: no such run in %s/tables; set mixtraining.run.output to the output directory of the run"
                        .formatted(option, id, output)));
  }

  /**
   * The comparison that the configuration asks for.
   *
   * @throws UserException if there is none, or one of its runs is not valid
   */
  Comparison comparison() {
    Comparison comparison = Comparison.load(Optional.ofNullable(file), overrides);
    comparison.runs().stream().map(Comparison.Run::config).forEach(Layout::check);
    return comparison;
  }

  /** Prints what a person should know however little is shown. */
  void notice(String line) {
    screen.print(line);
  }

  /** Prints a line of progress. */
  void progress(String line) {
    if (!quiet) {
      screen.print(line);
    }
  }

  /** On a terminal, redraws the status line. */
  void live(String line) {
    if (!quiet) {
      screen.draw(line);
    }
  }
}
