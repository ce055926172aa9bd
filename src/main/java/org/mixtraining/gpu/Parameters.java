package org.mixtraining.gpu;

import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.mixtraining.vit.GraphSpec;
import org.mixtraining.vit.ModelSpec;
import org.mixtraining.vit.Tensor;
import org.mixtraining.vit.layers.PositionEmbedding;
import org.mixtraining.vit.state.ModelState;

/**
 * A model's parameters, their moments and their gradients on a device, each kind in one flat array:
 * all matrices, then all vectors, every tensor from a multiple of {@link #CHUNK} on.
 *
 * <p>The gradient of a vector is a sum over rows of tokens. It is taken in slices of the rows
 * first, which lie side by side for all vectors, so that one launch adds up all of them.
 */
final class Parameters implements AutoCloseable {

  /** Values that one block of threads updates, as {@code adamw.cuh} has it. */
  static final int CHUNK = 256;

  /** Slices of rows that there is room for. */
  static final int MOST_SLICES = 256;

  private record Place(Tensor tensor, long at) {}

  private final Gpu gpu;
  private final Arena arena;
  private final Map<String, Place> places = new LinkedHashMap<>();
  private final Map<String, Integer> blocks = new LinkedHashMap<>(); // numbers by name
  private final Map<String, Long> steps = new HashMap<>();
  private final Map<String, Memory> positions = new HashMap<>();
  private final List<ModelSpec.Layer> layers;
  private final long firstVector;
  private final long size;

  private final Memory values;
  private final Memory rounded; // as matrix products read them
  private final Memory tensorOfChunk;
  private final Memory rules; // of tensors: block (as an int), scale, decay, unused

  // Only training needs them: null until a state is loaded.
  private Memory m;
  private Memory v;
  private Memory gradient;
  private Memory slices;

  Parameters(Gpu gpu, GraphSpec spec) {
    this.gpu = gpu;
    this.arena = new Arena(gpu);
    this.layers = spec.layers();
    long at = 0;
    for (Tensor tensor : matricesFirst(layers)) {
      places.put(tensor.path(), new Place(tensor, at));
      blocks.putIfAbsent(tensor.block(), blocks.size());
      at += padded(tensor);
    }
    size = at;
    firstVector =
        places.values().stream()
            .filter(place -> place.tensor.decays())
            .mapToLong(place -> padded(place.tensor))
            .sum();
    values = arena.of("parameters", Memory.Type.FLOAT, size);
    rounded =
        gpu.matrixType() == Memory.Type.FLOAT
            ? values
            : arena.of("parameters.rounded", gpu.matrixType(), size);
    tensorOfChunk = arena.of("parameters.tensors", Memory.Type.INT, chunks());
    rules = arena.of("parameters.rules", Memory.Type.INT, 4L * places.size());
    writeRules(spec);
  }

  private static List<Tensor> matricesFirst(List<ModelSpec.Layer> layers) {
    return layers.stream()
        .flatMap(layer -> layer.tensors().stream())
        .sorted(Comparator.comparing(Tensor::decays).reversed()) // and else stays in order
        .toList();
  }

  private static long padded(Tensor tensor) {
    return (tensor.size() + CHUNK - 1L) / CHUNK * CHUNK;
  }

  private void writeRules(GraphSpec spec) {
    int[] tensors = new int[chunks()];
    int[] fields = new int[4 * places.size()];
    int number = 0;
    for (Place place : places.values()) {
      Tensor tensor = place.tensor;
      int from = (int) (place.at / CHUNK);
      Arrays.fill(tensors, from, from + (int) (padded(tensor) / CHUNK), number);
      float scale = (float) spec.rateScale(tensor.layer());
      fields[4 * number] = blocks.get(tensor.block());
      fields[4 * number + 1] = Float.floatToRawIntBits(scale);
      fields[4 * number + 2] = Float.floatToRawIntBits(tensor.decays() ? (float) spec.decay() : 0);
      number++;
    }
    gpu.write(tensorOfChunk, tensors);
    gpu.write(rules, fields);
  }

  // --- tensors ---------------------------------------------------------------------------------

  Tensor tensor(String name) {
    return places.get(name).tensor;
  }

  private Memory part(Memory all, String name) {
    Place place = places.get(name);
    return all.from(place.at).first(place.tensor.size());
  }

  /** A tensor in float32. */
  Memory values(String name) {
    return part(values, name);
  }

  /** A tensor as matrix products read it. */
  Memory rounded(String name) {
    return part(rounded, name);
  }

  /** A tensor's gradient. */
  Memory gradient(String name) {
    return part(gradient(), name);
  }

  /**
   * The slices of a vector's gradient, each {@link #vectors} behind the one before it: as many
   * values as theirs from the first slice's first on.
   */
  Memory slices(String name) {
    Place place = places.get(name);
    return slices().from(place.at - firstVector).first((long) MOST_SLICES * place.tensor.size());
  }

  /** All slices of all vectors, [MOST_SLICES, vectors]. */
  Memory slices() {
    return slices;
  }

  /** Values of all vectors. */
  long vectors() {
    return size - firstVector;
  }

  /** The gradients of all vectors. */
  Memory vectorGradients() {
    return gradient().from(firstVector);
  }

  // --- all of them -----------------------------------------------------------------------------

  Memory values() {
    return values;
  }

  Memory rounded() {
    return rounded;
  }

  Memory m() {
    return m;
  }

  Memory v() {
    return v;
  }

  Memory gradient() {
    return gradient;
  }

  /** A fixed position embedding, [1 + patches, dim], written when it is first asked for. */
  Memory positions(int grid, int dim) {
    String name = "positions-%s-%s".formatted(grid, dim);
    Memory known = positions.get(name);
    if (known == null) {
      float[] fixed = PositionEmbedding.of(grid, dim);
      known = arena.of(name, Memory.Type.FLOAT, fixed.length);
      gpu.write(known, fixed);
      positions.put(name, known);
    }
    return known;
  }

  Memory tensorOfChunk() {
    return tensorOfChunk;
  }

  Memory rules() {
    return rules;
  }

  int chunks() {
    return Math.toIntExact(size / CHUNK);
  }

  /** Names of the blocks in the order of their numbers. */
  List<String> blocks() {
    return List.copyOf(blocks.keySet());
  }

  // --- state -----------------------------------------------------------------------------------

  /** Steps that a block has taken. */
  long steps(String block) {
    return steps.get(block);
  }

  /** Counts a step of a block. */
  void step(String block) {
    steps.merge(block, 1L, Long::sum);
  }

  /** Takes over a state with these blocks. */
  void load(ModelState state) {
    blocks.keySet().forEach(block -> steps.put(block, state.block(block).steps()));
    m = arena.of("parameters.m", Memory.Type.FLOAT, size);
    v = arena.of("parameters.v", Memory.Type.FLOAT, size);
    gradient = arena.of("parameters.gradient", Memory.Type.FLOAT, size);
    slices = arena.of("parameters.slices", Memory.Type.FLOAT, MOST_SLICES * vectors());
    gpu.write(m, gathered(state, ModelState.Block::m));
    gpu.write(v, gathered(state, ModelState.Block::v));
    loadParameters(state);
  }

  /** Takes the parameters only. */
  void loadParameters(ModelState state) {
    gpu.write(values, gathered(state, ModelState.Block::parameters));
    if (rounded != values) {
      Operations.round(gpu, values, rounded);
    }
  }

  private interface Kind {
    float[] of(ModelState.Block block);
  }

  private float[] gathered(ModelState state, Kind kind) {
    float[] flat = new float[Math.toIntExact(size)];
    for (Place place : places.values()) {
      float[] block = kind.of(state.block(place.tensor.block()));
      System.arraycopy(block, place.tensor.at(), flat, (int) place.at, place.tensor.size());
    }
    return flat;
  }

  /** The blocks as they are now. */
  ModelState state() {
    Map<String, float[]> p = scattered(values);
    Map<String, float[]> first = scattered(m);
    Map<String, float[]> second = scattered(v);
    Map<String, ModelState.Block> state = new HashMap<>();
    for (String block : blocks.keySet()) {
      state.put(
          block,
          new ModelState.Block(
              p.get(block), first.get(block), second.get(block), steps.get(block)));
    }
    return new ModelState(state);
  }

  private Map<String, float[]> scattered(Memory memory) {
    float[] flat = new float[Math.toIntExact(size)];
    gpu.read(memory, flat);
    Map<String, float[]> parts = ModelSpec.zeros(layers);
    for (Place place : places.values()) {
      float[] block = parts.get(place.tensor.block());
      System.arraycopy(flat, (int) place.at, block, place.tensor.at(), place.tensor.size());
    }
    return parts;
  }

  @Override
  public void close() {
    arena.close();
  }
}
