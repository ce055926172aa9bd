package org.mixtraining.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.KebabCase;
import org.mixtraining.config.Location;
import org.mixtraining.config.UserException;
import org.mixtraining.files.WholeFile;
import org.mixtraining.formats.ModelCard;
import org.mixtraining.formats.ModelFolder;
import org.mixtraining.formats.TrainedModel;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code export}: a trained model as a file, or a directory, for other programs. */
@Command(
    name = "export",
    mixinStandardHelpOptions = true,
    description =
        "Exports a model's encoder and heads to ONNX, Deeplearning4j, timm or Hugging Face's transformers.")
final class ExportCommand implements Callable<Integer> {

  @Mixin private JobOptions options;
  @Mixin private ModelOptions model;

  /** What is written. */
  private enum Format {
    ONNX,
    DL4J,
    TIMM,
    HUGGINGFACE
  }

  @Option(
      names = "--format",
      paramLabel = "onnx|dl4j|timm|huggingface",
      required = true,
      description =
          "onnx: for ONNX Runtime and others; dl4j: for Deeplearning4j, and train --init; timm and huggingface: a directory for timm or transformers, with one task. Untrained heads are allowed only for huggingface; the encoder then becomes a ViTMAEModel.")
  private Format format;

  @Option(
      names = "-o",
      paramLabel = "FILE",
      required = true,
      description = "The file to write, or the directory of timm and huggingface.")
  private String file;

  @Option(names = "--json", description = "A JSON object that describes what was written.")
  private boolean json;

  @Override
  public Integer call() throws JsonProcessingException {
    JobConfig config = options.config();
    Configuration hadoop = Sessions.hadoop();
    String output = config.run().output();
    TrainedModel trained =
        format == Format.HUGGINGFACE ? model.loadAny(hadoop, output) : model.load(hadoop, output);
    boolean folder = format == Format.TIMM || format == Format.HUGGINGFACE;
    List<ModelCard.Task> tasks =
        model.task().isEmpty() && !folder
            ? trained.card().tasks()
            : List.of(trained.task("--task", model.task()));
    Map<String, byte[]> files =
        switch (format) {
          case ONNX -> Map.of("", trained.onnx("--task", tasks));
          case DL4J -> Map.of("", trained.zip());
          case TIMM -> ModelFolder.timm(trained, tasks.get(0)).files();
          case HUGGINGFACE -> ModelFolder.huggingFace(trained, tasks.get(0)).files();
        };
    files.forEach((name, content) -> write(hadoop, name, content));
    int bytes = files.values().stream().mapToInt(content -> content.length).sum();
    System.out.println(json ? json(tasks, bytes) : summary(tasks, bytes));
    return 0;
  }

  /**
   * Writes a file.
   *
   * @param name below the directory that is written; empty: it is what is written
   */
  private void write(Configuration hadoop, String name, byte[] content) {
    try {
      Path given = Location.path(file);
      Path path = name.isEmpty() ? given : Location.child(given, name);
      new WholeFile(path, hadoop).write(out -> out.write(content));
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
