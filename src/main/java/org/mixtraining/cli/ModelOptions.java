package org.mixtraining.cli;

import org.apache.hadoop.conf.Configuration;
import org.mixtraining.checkpoint.Checkpoints;
import org.mixtraining.checkpoint.ModelFile;
import org.mixtraining.config.UserException;
import org.mixtraining.formats.TrainedModel;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** The options of a command that choose a trained model. */
final class ModelOptions {

  @ArgGroup(multiplicity = "1")
  private Given given;

  /** One of the two. */
  private static final class Given {
    @Option(
        names = "--run",
        paramLabel = "RUN_ID",
        description =
            "The best model of this run on validation, or the final one without validation.")
    private String run;

    @Option(
        names = "--model",
        paramLabel = "FILE",
        description =
            "The model in this file: a saved model or checkpoint of a run, or a zip written by export.")
    private String file;
  }

  @Option(
      names = "--task",
      paramLabel = "NAME",
      description = "The task to use, if the model has several.")
  private String task = "";

  /** The option and its value, for messages. */
  String named() {
    return given.run == null ? "--model " + given.file : "--run " + given.run;
  }

  String task() {
    return task;
  }

  /**
   * The model.
   *
   * @param output where runs are
   * @throws UserException if there is none, or it cannot be used
   */
  TrainedModel load(Configuration hadoop, String output) {
    TrainedModel model = loadAny(hadoop, output);
    model.checkHeads(named());
    return model;
  }

  /** The same, though its heads may be untrained. */
  TrainedModel loadAny(Configuration hadoop, String output) {
    return given.run == null
        ? ModelFile.open(hadoop, "--model", given.file).model()
        : ModelFile.open(hadoop, "--run %s:".formatted(given.run), kept(hadoop, output)).model();
  }

  private String kept(Configuration hadoop, String output) {
    return new Checkpoints(hadoop, output, given.run)
        .kept()
        .orElseThrow(
            () ->
                new UserException(
                    "--run %s: no model of such a run in %s/checkpoints; set mixtraining.run.output to the output directory of the run; a run has a model once it has finished a supervised epoch, or its last one"
                        .formatted(given.run, output)));
  }
}
