package org.mixtraining.vit;

import static org.mixtraining.vit.Tensor.Init.ONE;
import static org.mixtraining.vit.Tensor.Init.TOKEN;
import static org.mixtraining.vit.Tensor.Init.XAVIER;
import static org.mixtraining.vit.Tensor.Init.ZERO;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.mixtraining.schedule.EncoderInput;
import org.mixtraining.schedule.Objective;
import org.mixtraining.schedule.Seed;
import org.mixtraining.vit.Architecture.Transformer;
import org.mixtraining.vit.state.ModelState;

/**
 * All tensors that a model may have, layer by layer: names, shapes, weight decay, which layers are
 * above, and where the {@link ModelState} holds them. It is made of dimensions and heads, before
 * any graph; graphs, state, the GPU's programs, exports and imported weights all read it.
 *
 * <p>A block of the state holds its layers' tensors in this order, a layer's weight matrices first.
 */
public final class ModelSpec {

  /**
   * A layer with parameters.
   *
   * @param block of the {@link ModelState}
   * @param above layers of the encoder above it, for the layer-wise decay of the learning rate
   * @param tensors weight matrices first; their values lie one behind another in the block
   */
  public record Layer(String name, String block, int above, List<Tensor> tensors) {

    /** Its first value in the block. */
    public int at() {
      return tensors.get(0).at();
    }

    /** Values of all tensors. */
    public int size() {
      return tensors.stream().mapToInt(Tensor::size).sum();
    }

    /**
     * Initial values. Each tensor is drawn for itself; but in the encoder the keys are as the
     * queries, and the projection as the negative transpose of the attention's values, so that
     * {@code W_q·W_kᵀ} and {@code W_v·W_proj} are noise about a multiple of the identity, above and
     * below 0: attention begins as that of trained models, after Mimetic Initialization (Trockman
     * and Kolter, arXiv 2305.09828), which has such products of a singular value decomposition.
     */
    public float[] initial(long seed) {
      float[] values = new float[size()];
      for (Tensor tensor : tensors) {
        SplittableRandom random = Seed.WEIGHTS.at(seed, tensor.path().hashCode());
        System.arraycopy(tensor.initial(random), 0, values, tensor.at() - at(), tensor.size());
      }
      if (block.equals(ModelState.ENCODER) && tensors.get(0).name().equals(QKV)) {
        mimic(values, tensors.get(0).rows());
      }
      return values;
    }

    /** [dim, 3·dim] of queries, keys and values, and then [dim, dim] of the projection. */
    private static void mimic(float[] weights, int dim) {
      // What makes the projection's deviation that of its own shape.
      float scale = (float) -Math.sqrt(2);
      for (int i = 0; i < dim; i++) {
        int row = 3 * dim * i;
        for (int j = 0; j < dim; j++) {
          weights[row + dim + j] = weights[row + j];
          weights[3 * dim * dim + dim * j + i] = scale * weights[row + 2 * dim + j];
        }
      }
    }

    /** Values of the weight matrices. */
    public int weights() {
      return tensors.stream().filter(Tensor::decays).mapToInt(Tensor::size).sum();
    }
  }

  private static final String QKV = "qkv.weight";

  private final ViT vit;
  private final List<Head> heads;
  private final Map<String, Layer> layers = new LinkedHashMap<>();
  private final Map<String, Tensor> tensors = new LinkedHashMap<>();

  /** The model of some dimensions, with one head for each task. */
  public static ModelSpec of(ViT vit, List<Head> heads) {
    return new ModelSpec(vit, heads);
  }

  private ModelSpec(ViT vit, List<Head> heads) {
    this.vit = vit;
    this.heads = List.copyOf(heads);
    int dim = vit.encoder().dim();
    String encoder = ModelState.ENCODER;
    List<Parameter> embedding =
        new ArrayList<>(
            List.of(
                weight("weight", vit.architecture().patchValues(), dim),
                vector("bias", dim, ZERO),
                vector("cls", dim, TOKEN)));
    if (vit.architecture().learnsPositions()) {
      embedding.add(vector(PatchEmbedding.POSITIONS, vit.patches() * dim, ZERO));
    }
    add(ViTGraph.PATCH_EMBEDDING, encoder, vit.encoder().depth() + 1, embedding);
    add(ViTGraph.MASK_TOKEN, ViTGraph.MASK_TOKEN, 0, List.of(vector("token", dim, TOKEN)));
    for (int i = 0; i < vit.encoder().depth(); i++) {
      add(ViTGraph.encoder(i), encoder, vit.encoder().depth() - i, block(vit.encoder()));
    }
    add(
        ViTGraph.ENCODER_NORM,
        encoder,
        0,
        List.of(vector("gain", dim, ONE), vector("bias", dim, ZERO)));

    int width = vit.decoder().dim();
    String decoder = ModelState.DECODER;
    add(
        ViTGraph.DECODER_EMBEDDING,
        decoder,
        0,
        List.of(
            weight("weight", dim, width),
            vector("bias", width, ZERO),
            vector("mask", width, TOKEN)));
    for (int i = 0; i < vit.decoder().depth(); i++) {
      add(ViTGraph.decoder(i), decoder, 0, block(vit.decoder()));
    }
    add(
        ViTGraph.PIXELS,
        decoder,
        0,
        List.of(
            weight("weight", width, vit.architecture().patchValues()),
            vector("gain", width, ONE),
            vector("bias", width, ZERO),
            vector("projection-bias", vit.architecture().patchValues(), ZERO)));

    for (Head head : heads) {
      // Not MAE's deviation of 2e-5: short runs do not catch up (the manual's experiments).
      Parameter weight = weight("weight", dim, head.classes());
      add(head.name(), head.name(), 0, List.of(weight, vector("bias", head.classes(), ZERO)));
    }
  }

  private static List<Parameter> block(Transformer stack) {
    int dim = stack.dim();
    int hidden = stack.hidden();
    return List.of(
        weight(QKV, dim, 3 * dim),
        weight("proj.weight", dim, dim),
        weight("fc1.weight", dim, hidden),
        weight("fc2.weight", hidden, dim),
        vector("norm1.gain", dim, ONE),
        vector("norm1.bias", dim, ZERO),
        vector("qkv.bias", 3 * dim, ZERO),
        vector("proj.bias", dim, ZERO),
        vector("norm2.gain", dim, ONE),
        vector("norm2.bias", dim, ZERO),
        vector("fc1.bias", hidden, ZERO),
        vector("fc2.bias", dim, ZERO));
  }

  /** A tensor without a place. */
  private record Parameter(String name, int rows, int cols, Tensor.Init init) {}

  private static Parameter weight(String name, int rows, int cols) {
    return new Parameter(name, rows, cols, XAVIER);
  }

  private static Parameter vector(String name, int size, Tensor.Init init) {
    return new Parameter(name, 1, size, init);
  }

  private void add(String layer, String block, int above, List<Parameter> parameters) {
    int at =
        layers.values().stream().filter(l -> l.block().equals(block)).mapToInt(Layer::size).sum();
    List<Tensor> own = new ArrayList<>();
    for (Parameter p : parameters) {
      Tensor tensor = new Tensor(layer, p.name, p.rows, p.cols, p.init, block, at);
      own.add(tensor);
      tensors.put(tensor.path(), tensor);
      at += tensor.size();
    }
    layers.put(layer, new Layer(layer, block, above, List.copyOf(own)));
  }

  public ViT vit() {
    return vit;
  }

  public List<Head> heads() {
    return heads;
  }

  /** The layers that an objective trains, given what its encoder sees. */
  public List<Layer> layers(Objective objective, EncoderInput encoderInput) {
    return layers.values().stream()
        .filter(layer -> ViTGraph.trains(objective, layer.block()))
        .filter(
            layer ->
                encoderInput == EncoderInput.CORRUPTED || !layer.name().equals(ViTGraph.MASK_TOKEN))
        .toList();
  }

  /**
   * A layer by its name.
   *
   * @throws IllegalArgumentException if there is none
   */
  public Layer layer(String name) {
    return known(layers, name);
  }

  /** All tensors by their paths. */
  public Map<String, Tensor> tensors() {
    return Collections.unmodifiableMap(tensors);
  }

  /**
   * A tensor by its path.
   *
   * @throws IllegalArgumentException if there is none
   */
  public Tensor tensor(String path) {
    return known(tensors, path);
  }

  private static <T> T known(Map<String, T> all, String name) {
    T found = all.get(name);
    if (found == null) {
      throw new IllegalArgumentException("no " + name + " in " + all.keySet());
    }
    return found;
  }

  /** Zeros for the values of the blocks that some layers make up. */
  public static Map<String, float[]> zeros(Iterable<Layer> layers) {
    Map<String, Integer> sizes = new HashMap<>();
    layers.forEach(layer -> sizes.merge(layer.block(), layer.size(), Integer::sum));
    Map<String, float[]> zeros = new HashMap<>();
    sizes.forEach((block, size) -> zeros.put(block, new float[size]));
    return zeros;
  }

  /** A copy of a tensor's values. */
  public float[] read(ModelState state, String path) {
    Tensor tensor = tensor(path);
    float[] block = state.block(tensor.block()).parameters();
    return Arrays.copyOfRange(block, tensor.at(), tensor.at() + tensor.size());
  }

  /** Puts a tensor's values into the parameters of its block. */
  public void write(String path, float[] values, float[] block) {
    Tensor tensor = tensor(path);
    System.arraycopy(values, 0, block, tensor.at(), tensor.size());
  }
}
