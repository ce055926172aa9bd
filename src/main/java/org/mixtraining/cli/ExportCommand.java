package org.mixtraining.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.apache.hadoop.conf.Configuration;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.KebabCase;
import org.mixtraining.config.Location;
import org.mixtraining.config.UserException;
import org.mixtraining.files.WholeFile;
import org.mixtraining.formats.ModelCard;
import org.mixtraining.formats.TrainedModel;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code export}: a trained model as a file for other programs. */
@Command(
    name = "export",
    mixinStandardHelpOptions = true,
    description = "Writes encoder and heads of a model as ONNX, or as a zip of Deeplearning4j.")
final class ExportCommand implements Callable<Integer> {

  @Mixin private JobOptions options;
  @Mixin private ModelOptions model;

  /** What is written. */
  private enum Format {
    ONNX,
    DL4J
  }

  @Option(
      names = "--format",
      paramLabel = "onnx|dl4j",
      required = true,
      description =
          "onnx: for ONNX Runtime and others; dl4j: for Deeplearning4j, and train --init.")
  private Format format;

  @Option(names = "-o", paramLabel = "FILE", required = true, description = "The file to write.")
  private String file;

  @Option(names = "--json", description = "A JSON object that describes what was written.")
  private boolean json;

  @Override
  public Integer call() throws JsonProcessingException {
    JobConfig config = options.config();
    Configuration hadoop = Sessions.hadoop();
    TrainedModel trained = model.load(hadoop, config.run().output());
    List<ModelCard.Task> tasks =
        model.task().isEmpty()
            ? trained.card().tasks()
            : List.of(trained.task("--task", model.task()));
    byte[] bytes =
        switch (format) {
          case ONNX -> trained.onnx("--task", tasks);
          case DL4J -> trained.zip();
        };
    write(hadoop, bytes);
    System.out.println(json ? json(tasks, bytes.length) : summary(tasks, bytes.length));
    return 0;
  }

  private void write(Configuration hadoop, byte[] bytes) {
    try {
      new WholeFile(Location.path(file), hadoop).write(out -> out.write(bytes));
    } catch (IOException | IllegalArgumentException e) { // the latter: no path at all
      throw new UserException("-o %s: cannot be written: %s".formatted(file, e.getMessage()));
    }
  }

  private record Told(String file, int bytes, String format, List<String> tasks) {}

  private String json(List<ModelCard.Task> tasks, int bytes) throws JsonProcessingException {
    List<String> names = tasks.stream().map(ModelCard.Task::name).toList();
    return new ObjectMapper()
        .writeValueAsString(new Told(file, bytes, KebabCase.of(format), names));
  }

  private String summary(List<ModelCard.Task> tasks, int bytes) {
    StringBuilder text = new StringBuilder();
    text.append(String.format(Locale.ROOT, "%s in %s, %.1f MB", model.named(), file, bytes / 1e6));
    for (ModelCard.Task task : tasks) {
      text.append(
          "\ntask %s: images %s x %s x %s, %s classes"
              .formatted(
                  task.name(),
                  task.channels(),
                  task.imageSize(),
                  task.imageSize(),
                  task.classes().size()));
    }
    return text.toString();
  }
}
