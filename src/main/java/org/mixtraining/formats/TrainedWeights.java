package org.mixtraining.formats;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.mixtraining.config.InitConfig.InitParts;
import org.mixtraining.config.KebabCase;
import org.mixtraining.config.UserException;
import org.mixtraining.vit.Head;
import org.mixtraining.vit.ModelSpec;
import org.mixtraining.vit.Tensor;
import org.mixtraining.vit.ViT;
import org.mixtraining.vit.ViTGraph;
import org.mixtraining.vit.state.ModelState;

/**
 * Weights of a model that this job trained.
 *
 * @param origin option and path, for messages
 */
public record TrainedWeights(String origin, ViT vit, List<Head> heads, ModelState state)
    implements PretrainedWeights {

  @Override
  public List<String> notes() {
    return List.of();
  }

  @Override
  public ModelState into(ViT into, List<Head> intoHeads, ModelState initial, InitParts parts) {
    ModelSpec theirs = ModelSpec.of(vit, heads);
    ModelSpec ours = ModelSpec.of(into, intoHeads);
    Map<String, ModelState.Block> taken = new HashMap<>();
    List<String> problems = new ArrayList<>();
    for (String name : wanted(initial, parts)) {
      Optional<String> problem = mismatch(name, theirs, ours);
      problem.ifPresent(problems::add);
      if (problem.isEmpty()) {
        float[] values = state.block(name).parameters();
        taken.put(name, fresh(values.clone()));
      }
    }
    UserException.throwAny(problems);
    return initial.with(new ModelState(taken));
  }

  /** A block before its first step. */
  static ModelState.Block fresh(float[] parameters) {
    int size = parameters.length;
    return new ModelState.Block(parameters, new float[size], new float[size], 0);
  }

  /** Blocks of the run that are to be replaced. */
  private static Set<String> wanted(ModelState initial, InitParts parts) {
    Set<String> wanted = new TreeSet<>();
    for (String block : initial.blocks().keySet()) {
      boolean head = ViTGraph.isHead(block);
      boolean take =
          switch (parts) {
            case ENCODER -> block.equals(ModelState.ENCODER);
            case ENCODER_HEADS -> block.equals(ModelState.ENCODER) || head;
            case ENCODER_DECODER -> !head;
            case ALL -> true;
          };
      if (take) {
        wanted.add(block);
      }
    }
    return wanted;
  }

  private Optional<String> mismatch(String block, ModelSpec theirs, ModelSpec ours) {
    if (!state.blocks().containsKey(block)) {
      return Optional.of(
          "%s: it has no block %s, but %s; mixtraining.init.parts chooses the parts to take (%s is enough for new classes)"
              .formatted(origin, block, state.blocks().keySet(), KebabCase.of(InitParts.ENCODER)));
    }
    Set<String> names = new TreeSet<>(ours.tensors().keySet());
    names.addAll(theirs.tensors().keySet());
    return names.stream()
        .filter(name -> block.equals(block(theirs, name)) || block.equals(block(ours, name)))
        .filter(name -> !shape(theirs, name).equals(shape(ours, name)))
        .findFirst()
        .map(
            name ->
                "%s: block %s does not fit: %s is %s there, and %s in this run"
                    .formatted(origin, block, name, shape(theirs, name), shape(ours, name)));
  }

  private static String block(ModelSpec model, String name) {
    Tensor tensor = model.tensors().get(name);
    return tensor == null ? "" : tensor.block();
  }

  private static String shape(ModelSpec model, String name) {
    Tensor tensor = model.tensors().get(name);
    return tensor == null ? "missing" : tensor.shape();
  }
}
