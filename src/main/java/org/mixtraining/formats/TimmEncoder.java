package org.mixtraining.formats;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.mixtraining.config.UserException;
import org.mixtraining.formats.TimmWeights.Weight;

/**
 * The encoder's tensors in a weight file. Programs wrap a model in others, whose names become
 * prefixes: {@code model.}, {@code encoder.}, {@code backbone.} or any other, in any nesting. The
 * encoder consists of the tensors that share the prefix of the patch embedding.
 *
 * @param prefix of its names, after {@link #WRAPPERS} were removed
 * @param tensors by their names without it
 * @param beside names of the file's other tensors
 */
record TimmEncoder(String prefix, SortedMap<String, Weight> tensors, SortedSet<String> beside) {

  static final String PATCHES = "patch_embed.proj.weight";

  /** Prefixes that PyTorch adds for parallel, compiled, sharded and checkpointed modules. */
  private static final Pattern WRAPPERS =
      Pattern.compile(
          "(?<![^.])(module|_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\\.");

  /** Patch embeddings under the names of other programs. */
  private static final Map<String, String> OTHERS =
      new TreeMap<>(
          Map.of(
              "embeddings.patch_embedding.weight", "Hugging Face's transformers",
              "patch_embed.projection.weight", "MMPretrain",
              "conv_proj.weight", "torchvision",
              "conv1.weight", "CLIP or a convolutional network",
              "embedding.kernel", "Flax"));

  /** Number of names that a message lists. */
  private static final int SHOWN = 4;

  /**
   * @param origin where the tensors were found, for messages
   * @throws UserException if there is no encoder, or more than one
   */
  static TimmEncoder in(String origin, SortedMap<String, Weight> file) {
    SortedMap<String, Weight> unwrapped = new TreeMap<>();
    file.forEach(
        (name, weight) -> {
          if (unwrapped.put(WRAPPERS.matcher(name).replaceAll(""), weight) != null) {
            throw new UserException(
                "%s: holds %s twice, with and without a wrapper's name before it"
                    .formatted(origin, WRAPPERS.matcher(name).replaceAll("")));
          }
        });
    List<String> prefixes =
        unwrapped.keySet().stream()
            .filter(name -> ends(name, PATCHES))
            .map(name -> name.substring(0, name.length() - PATCHES.length()))
            .toList();
    if (prefixes.isEmpty()) {
      throw new UserException("%s: cannot be used: %s".formatted(origin, other(unwrapped)));
    }
    if (prefixes.size() > 1) {
      throw new UserException(
          "%s: holds %s encoders, under %s; keep only one in the file"
              .formatted(origin, prefixes.size(), quoted(prefixes)));
    }
    String prefix = prefixes.get(0);
    SortedMap<String, Weight> tensors = new TreeMap<>();
    SortedSet<String> beside = new TreeSet<>();
    unwrapped.forEach(
        (name, weight) -> {
          if (name.startsWith(prefix)) {
            tensors.put(name.substring(prefix.length()), weight);
          } else {
            beside.add(name);
          }
        });
    return new TimmEncoder(prefix, tensors, beside);
  }

  private static boolean ends(String name, String end) {
    return name.equals(end) || name.endsWith("." + end);
  }

  private static String other(SortedMap<String, Weight> file) {
    String read =
        "supported are the names of timm and MAE (patch_embed.proj.weight, blocks.0.attn.qkv.weight, norm.weight and so on) and of Hugging Face's ViT and ViT-MAE, with any prefix";
    for (Map.Entry<String, String> other : OTHERS.entrySet()) {
      for (String name : file.keySet()) {
        if (ends(name, other.getKey())) {
          return "its tensors have the names of %s (%s); %s"
              .formatted(other.getValue(), name, read);
        }
      }
    }
    return file.isEmpty()
        ? "it holds no weights"
        : "its tensors do not have the names of a ViT (%s); %s"
            .formatted(some(file.keySet()), read);
  }

  private static String quoted(Collection<String> prefixes) {
    return String.join(" and ", prefixes.stream().map(p -> p.isEmpty() ? "no prefix" : p).toList());
  }

  /** The first of some names, and how many more there are. */
  static String some(Collection<String> names) {
    String first = String.join(", ", names.stream().limit(SHOWN).toList());
    int more = names.size() - SHOWN;
    return more > 0 ? "%s and %s more".formatted(first, more) : first;
  }
}
