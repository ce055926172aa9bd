package org.mixtraining.formats;

import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.mixtraining.config.OptimizerConfig;
import org.mixtraining.config.UserException;
import org.mixtraining.data.Normalization;
import org.mixtraining.schedule.EncoderInput;
import org.mixtraining.schedule.Objective;
import org.mixtraining.vit.Head;
import org.mixtraining.vit.Served;
import org.mixtraining.vit.ViT;
import org.mixtraining.vit.ViTGraph;
import org.mixtraining.vit.state.ModelState;

/**
 * A trained model: its description and parameters.
 *
 * @param state its parameters; moments are not needed
 */
public record TrainedModel(ModelCard card, ModelState state) implements Serializable {

  /**
   * The task of that name; of a model with a single task, an empty name is that one's.
   *
   * @param option the option that gave the name, for the message
   * @throws UserException if there is none
   */
  public ModelCard.Task task(String option, String name) {
    List<ModelCard.Task> tasks = card.tasks();
    if (name.isEmpty() && tasks.size() == 1) {
      return tasks.get(0);
    }
    Optional<ModelCard.Task> found =
        tasks.stream().filter(task -> task.name().equals(name)).findFirst();
    return found.orElseThrow(
        () ->
            new UserException(
                "%s: %s; the model has the tasks %s"
                    .formatted(
                        option,
                        name.isEmpty() ? "choose a task" : "there is no task " + name,
                        tasks.stream().map(ModelCard.Task::name).toList())));
  }

  /**
   * Refuses a model whose heads are untrained: that of a run without supervised epochs.
   *
   * @param option the option that gave the model, for the message
   */
  public void checkHeads(String option) {
    for (Head head : card.heads()) {
      if (!isTrained(head)) {
        throw new UserException(
            "%s: its head %s is untrained, because the run had no supervised epoch; train --init can use its encoder"
                .formatted(option, head.name()));
      }
    }
  }

  /** Whether a head is trained, as far as can be told: a model that was exported does not say. */
  boolean isTrained(Head head) {
    return state.block(ModelState.ENCODER).steps() == 0 || state.block(head.name()).steps() > 0;
  }

  /**
   * The encoder and the heads of some tasks as an {@link OnnxModel}; its metadata hold the classes.
   *
   * @param option the option that chooses a task, for the message
   * @throws UserException if the tasks' images differ in size or colour
   */
  public byte[] onnx(String option, List<ModelCard.Task> tasks) {
    ModelCard.Task first = tasks.get(0);
    List<OnnxModel.Output> outputs = new ArrayList<>();
    SortedMap<String, String> notes = new TreeMap<>();
    for (ModelCard.Task task : tasks) {
      if (task.imageSize() != first.imageSize() || task.channels() != first.channels()) {
        throw new UserException(
            "%s: the images of tasks %s and %s differ in shape, so an ONNX file can hold only one of them; choose one"
                .formatted(option, first.name(), task.name()));
      }
      String name = output(card, task);
      Normalization n = task.normalization();
      outputs.add(new OnnxModel.Output(name, task.head(), n.mean(), n.std()));
      notes.put("classes of " + name, ModelCard.text(task.classes()));
    }
    notes.put("mixtraining", card.json());
    notes.put("images", "uint8, 0 to 255, as in a file: the model normalises them itself");
    ViT vit = card.vit().serving(new Served(first.imageSize(), first.classes().size(), 0));
    return OnnxModel.of(vit, state, outputs, notes);
  }

  /** Name of a task's output in an {@link OnnxModel}. */
  public static String output(ModelCard card, ModelCard.Task task) {
    return card.tasks().size() == 1 ? "probabilities" : "probabilities-" + task.name();
  }

  /** Encoder and heads as a {@link ModelZip}. */
  public byte[] zip() {
    try {
      return ModelZip.of(card.json(), card.vit(), card.heads(), state, OptimizerConfig.defaults());
    } catch (IOException e) {
      throw new IllegalStateException("writing to memory failed", e);
    }
  }

  /**
   * The model in a {@link ModelZip}.
   *
   * @throws IOException if it is not such a zip, or damaged
   */
  public static TrainedModel ofZip(byte[] file) throws IOException {
    ModelZip zip = ModelZip.read(file);
    ModelCard card = ModelCard.parse(zip.card());
    return new TrainedModel(card, zip.state(card.vit(), card.heads(), OptimizerConfig.defaults()));
  }

  /** JSON of the configuration of its graph of encoder and heads. */
  public String graph() {
    return ViTGraph.configuration(
            card.vit(),
            card.heads(),
            Objective.SL,
            EncoderInput.FULL,
            OptimizerConfig.defaults(),
            0)
        .toJson();
  }
}
