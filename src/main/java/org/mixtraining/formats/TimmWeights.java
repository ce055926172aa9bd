package org.mixtraining.formats;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeSet;
import org.mixtraining.config.InitConfig.InitParts;
import org.mixtraining.config.UserException;
import org.mixtraining.vit.Head;
import org.mixtraining.vit.ModelSpec;
import org.mixtraining.vit.ViT;
import org.mixtraining.vit.ViTGraph;
import org.mixtraining.vit.layers.PositionEmbedding;
import org.mixtraining.vit.state.ModelState;

/**
 * The encoder of a ViT under the names of timm's {@code VisionTransformer}, which are also those of
 * facebookresearch/mae: {@code patch_embed.proj.weight}, {@code blocks.0.attn.qkv.weight}, {@code
 * norm.weight} and so on, after any prefix; or under those of Hugging Face's ViT and ViT-MAE
 * ({@link HuggingFaceNames}). An encoder that computes another function than this job's is refused
 * ({@link ForeignPart}); heads and decoders are ignored. A patch embedding for patches of another
 * size is resampled as FlexiViT does it ({@link PatchResampling}).
 *
 * <p>A run with {@code model.positions = learned} takes the position embedding too, interpolated
 * where its grid of patches is another. With the fixed sine-cosine one it is not taken over: that
 * of MAE is the same, and where another was learned {@link #notes} says by how much it differs.
 * Either way the class token's position is added to the token.
 */
public final class TimmWeights implements PretrainedWeights {

  private static final String PATCHES = TimmEncoder.PATCHES;
  private static final String EMBEDDING = ViTGraph.PATCH_EMBEDDING;
  private static final String CLS = "cls_token";
  private static final String POSITIONS = "pos_embed";

  /** Above it, a position embedding is not the sine-cosine one in single precision. */
  private static final double SAME_POSITIONS = 1e-4;

  /**
   * A tensor of a file.
   *
   * @param values row-major
   */
  public record Weight(int[] shape, float[] values) {

    private String shown() {
      return String.join(" x ", Arrays.stream(shape).mapToObj(Integer::toString).toList());
    }
  }

  private final String origin;
  private final HuggingFaceConfig config;
  private final SortedMap<String, Weight> file;
  private final Set<String> unused;
  private final List<String> notes = new ArrayList<>();

  private TimmWeights(String origin, TimmEncoder encoder, HuggingFaceConfig config) {
    this.origin = origin;
    this.config = config;
    this.file = encoder.tensors();
    this.unused = new TreeSet<>(file.keySet());
    if (!encoder.prefix().isEmpty()) {
      notes.add("%s: took the encoder under %s".formatted(origin, encoder.prefix()));
    }
    unused.addAll(encoder.beside());
  }

  /**
   * @param origin where the tensors were found, for messages
   * @throws UserException if they hold no encoder under these names, more than one, or one that
   *     computes another function; the message names what makes it another
   */
  public static TimmWeights of(String origin, SortedMap<String, Weight> file) {
    return of(origin, file, HuggingFaceConfig.none());
  }

  /** The same with the configuration that lies beside the tensors. */
  public static TimmWeights of(
      String origin, SortedMap<String, Weight> file, HuggingFaceConfig config) {
    TimmEncoder encoder = TimmEncoder.in(origin, HuggingFaceNames.toTimm(file));
    UserException.throwAny(
        ForeignPart.problems(encoder.tensors().keySet()).stream()
            .map(problem -> "%s: %s".formatted(origin, problem))
            .toList());
    return new TimmWeights(origin, encoder, config);
  }

  @Override
  public List<String> notes() {
    return List.copyOf(notes);
  }

  @Override
  public ModelState into(ViT vit, List<Head> heads, ModelState initial, InitParts parts) {
    if (parts != InitParts.ENCODER) {
      throw new UserException(
          "%s: weights in timm's naming provide only the encoder; mixtraining.init.parts must be encoder"
              .formatted(origin));
    }
    UserException.throwAny(
        config.problems(vit).stream()
            .map(problem -> "%s: block encoder does not fit: %s".formatted(origin, problem))
            .toList());
    ModelSpec model = ModelSpec.of(vit, heads);
    float[] encoder = new float[initial.block(ModelState.ENCODER).parameters().length];
    checkDepth(vit);
    embed(vit, model, encoder);
    for (int i = 0; i < vit.encoder().depth(); i++) {
      block(vit.encoder().dim(), "blocks." + i + ".", ViTGraph.encoder(i) + ".", model, encoder);
    }
    norm(vit.encoder().dim(), "norm.", ViTGraph.ENCODER_NORM + ".", model, encoder);
    if (!unused.isEmpty()) {
      notes.add("%s: ignored: %s".formatted(origin, TimmEncoder.some(unused)));
    }
    return initial.with(new ModelState(Map.of(ModelState.ENCODER, TrainedWeights.fresh(encoder))));
  }

  private void checkDepth(ViT vit) {
    long blocks =
        file.keySet().stream()
            .filter(name -> name.matches("blocks\\.\\d+\\.norm1\\.weight"))
            .count();
    if (blocks != vit.encoder().depth()) {
      throw misfit("blocks", blocks + " deep", vit.encoder().depth() + " deep");
    }
  }

  // --- embedding -------------------------------------------------------------------------------

  private void embed(ViT vit, ModelSpec model, float[] encoder) {
    Weight kernel = weight(PATCHES);
    int[] shape = kernel.shape();
    int dim = vit.encoder().dim();
    int channels = vit.architecture().channels();
    if (shape.length != 4 || shape[2] != shape[3] || shape[0] != dim || shape[1] != channels) {
      String expected = "%s x %s x p x p".formatted(dim, channels);
      throw misfit(PATCHES, kernel.shown(), expected);
    }
    float[] values = kernel.values();
    if (shape[2] != vit.architecture().patch()) {
      values = PatchResampling.kernels(values, shape[2], vit.architecture().patch());
      notes.add(
          "%s: the embedding of patches of %s pixels is resampled to %s (mixtraining.model.patch)"
              .formatted(origin, shape[2], vit.architecture().patch()));
    }
    model.write(EMBEDDING + ".weight", OnnxWeights.transposed(values, dim), encoder);
    model.write(EMBEDDING + ".bias", tensor("patch_embed.proj.bias", dim), encoder);
    loadPositions(vit, model, encoder);
  }

  /**
   * Adds the class token's position, which ours does not have, to the token; loads the other
   * positions if the run learns them, else compares them with its fixed ones.
   */
  private void loadPositions(ViT vit, ModelSpec model, float[] encoder) {
    int dim = vit.encoder().dim();
    float[] cls = tensor(CLS, 1, 1, dim).clone();
    Weight positions = weight(POSITIONS);
    int[] shape = positions.shape();
    int grid = shape.length == 3 ? (int) Math.round(Math.sqrt(shape[1] - 1.0)) : 0;
    if (shape.length != 3 || shape[2] != dim || grid * grid != shape[1] - 1) {
      throw misfit(POSITIONS, positions.shown(), "1 x 1+n*n x " + dim);
    }
    float[] given = Arrays.copyOfRange(positions.values(), dim, positions.values().length);
    for (int d = 0; d < dim; d++) {
      cls[d] += positions.values()[d];
    }
    if (vit.architecture().learnsPositions()) {
      model.write(EMBEDDING + ".positions", learned(given, grid, vit), encoder);
    } else {
      compare(given, grid, dim);
    }
    model.write(EMBEDDING + ".cls", cls, encoder);
  }

  private float[] learned(float[] given, int grid, ViT vit) {
    float[] positions = given.clone();
    if (grid != vit.grid()) {
      positions = PatchResampling.positions(given, grid, vit.grid(), vit.encoder().dim());
      notes.add(
          "%s: pos_embed is interpolated from %s x %s patches to %s x %s"
              .formatted(origin, grid, grid, vit.grid(), vit.grid()));
    }
    float[] fixed = PositionEmbedding.of(vit.grid(), vit.encoder().dim());
    for (int i = 0; i < positions.length; i++) {
      positions[i] -= fixed[vit.encoder().dim() + i];
    }
    return positions;
  }

  private void compare(float[] given, int grid, int dim) {
    float[] all = PositionEmbedding.of(grid, dim);
    double difference = difference(given, Arrays.copyOfRange(all, dim, all.length));
    if (difference > SAME_POSITIONS) {
      notes.add(
          String.format(
              Locale.ROOT,
              "%s: pos_embed was learned, and is ignored: it differs from this run's fixed sine-cosine embedding by %.0f %% of the latter's norm; mixtraining.model.positions = learned uses it",
              origin,
              100 * difference));
    }
  }

  private static double difference(float[] given, float[] ours) {
    double off = 0;
    double norm = 0;
    for (int i = 0; i < ours.length; i++) {
      off += Math.pow((double) given[i] - ours[i], 2);
      norm += Math.pow(ours[i], 2);
    }
    return Math.sqrt(off / norm);
  }

  // --- blocks ----------------------------------------------------------------------------------

  private void block(int dim, String theirs, String ours, ModelSpec model, float[] encoder) {
    norm(dim, theirs + "norm1.", ours + "norm1.", model, encoder);
    // q, k and v below each other there, and side by side here: the transposed matrix.
    linear(dim, 3 * dim, theirs + "attn.qkv.", ours + "qkv.", model, encoder);
    linear(dim, dim, theirs + "attn.proj.", ours + "proj.", model, encoder);
    norm(dim, theirs + "norm2.", ours + "norm2.", model, encoder);
    int hidden = model.vit().encoder().hidden();
    linear(dim, hidden, theirs + "mlp.fc1.", ours + "fc1.", model, encoder);
    linear(hidden, dim, theirs + "mlp.fc2.", ours + "fc2.", model, encoder);
  }

  private void linear(
      int from, int to, String theirs, String ours, ModelSpec model, float[] encoder) {
    model.write(
        ours + "weight", OnnxWeights.transposed(tensor(theirs + "weight", to, from), to), encoder);
    model.write(ours + "bias", tensor(theirs + "bias", to), encoder);
  }

  private void norm(int dim, String theirs, String ours, ModelSpec model, float[] encoder) {
    model.write(ours + "gain", tensor(theirs + "weight", dim), encoder);
    model.write(ours + "bias", tensor(theirs + "bias", dim), encoder);
  }

  // --- tensors ---------------------------------------------------------------------------------

  private float[] tensor(String name, int... shape) {
    Weight weight = weight(name);
    if (!Arrays.equals(weight.shape(), shape)) {
      throw misfit(name, weight.shown(), new Weight(shape, new float[0]).shown());
    }
    return weight.values();
  }

  private Weight weight(String name) {
    Weight weight = file.get(name);
    if (weight == null) {
      throw misfit(name, "missing", "needed");
    }
    unused.remove(name);
    for (float value : weight.values()) {
      if (!Float.isFinite(value)) {
        throw new UserException(
            "%s: cannot be used: %s holds %s".formatted(origin, name, Float.toString(value)));
      }
    }
    return weight;
  }

  private UserException misfit(String tensor, String there, String here) {
    return new UserException(
        "%s: block encoder does not fit: %s is %s there, and %s in this run"
            .formatted(origin, tensor, there, here));
  }
}
