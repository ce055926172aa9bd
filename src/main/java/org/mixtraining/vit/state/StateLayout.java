package org.mixtraining.vit.state;

import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.mixtraining.config.MixConfig.MixPass;
import org.mixtraining.schedule.Objective;
import org.mixtraining.vit.Head;
import org.mixtraining.vit.Tensor;
import org.mixtraining.vit.ViT;
import org.mixtraining.vit.ViTGraph;
import org.mixtraining.vit.ViTLayer;

/**
 * What lies where in the blocks of a model's {@link ModelState}: every tensor by its layer's name
 * and its own, as {@code encoder-0.qkv.weight}.
 */
public final class StateLayout {

  /**
   * A tensor's place.
   *
   * @param at of its first float in the block
   */
  public record Slot(String block, Tensor tensor, int at) {
    public String shape() {
      return tensor.rows() == 1
          ? "" + tensor.cols()
          : String.format(Locale.ROOT, "%d x %d", tensor.rows(), tensor.cols());
    }
  }

  private final Map<String, Slot> slots = new LinkedHashMap<>();

  /** The layout of a model with all the blocks that it may have. */
  public static StateLayout of(ViT vit, List<Head> heads) {
    StateLayout layout = new StateLayout();
    Map<String, Integer> sizes = new HashMap<>();
    for (ViTLayer layer : ViTGraph.layers(vit, heads, Objective.JOINT, MixPass.CORRUPTED)) {
      String block = ViTGraph.block(layer.getLayerName());
      for (Tensor tensor : layer.tensors()) {
        int end = sizes.merge(block, tensor.size(), Integer::sum);
        layout.slots.put(
            layer.getLayerName() + "." + tensor.name(),
            new Slot(block, tensor, end - tensor.size()));
      }
    }
    return layout;
  }

  /** All tensors, block by block in the order of the layers. */
  public Map<String, Slot> slots() {
    return Collections.unmodifiableMap(slots);
  }

  /** A copy of a tensor, row-major. */
  public float[] read(ModelState state, String name) {
    Slot slot = slots.get(name);
    float[] block = state.block(slot.block()).parameters();
    return Arrays.copyOfRange(block, slot.at(), slot.at() + slot.tensor().size());
  }

  /** Puts a tensor into the parameters of its block. */
  public void write(String name, float[] values, float[] block) {
    Slot slot = slots.get(name);
    System.arraycopy(values, 0, block, slot.at(), slot.tensor().size());
  }
}
