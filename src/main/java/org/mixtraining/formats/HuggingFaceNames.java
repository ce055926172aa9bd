package org.mixtraining.formats;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.mixtraining.formats.TimmWeights.Weight;

/**
 * The names of Hugging Face's transformers for what timm names otherwise. Queries, keys and values
 * have matrices of their own there, which lie below each other in timm's.
 */
enum HuggingFaceNames {
  /** Those of ViT, and of ViT-MAE's encoder. */
  VIT("layernorm_before.", "layernorm_after.", "intermediate.dense.", "output.dense."),
  /** Those of DINOv2. */
  DINOV2("norm1.", "norm2.", "mlp.fc1.", "mlp.fc2.");

  static final String PATCHES = "embeddings.patch_embeddings.projection.weight";

  private static final Map<String, String> OUTSIDE =
      Map.of(
          "cls_token", "embeddings.cls_token",
          "mask_token", "embeddings.mask_token",
          "pos_embed", "embeddings.position_embeddings",
          "patch_embed.proj.weight", PATCHES,
          "patch_embed.proj.bias", "embeddings.patch_embeddings.projection.bias",
          "norm.weight", "layernorm.weight",
          "norm.bias", "layernorm.bias");

  private static final List<String> TIMM = List.of("norm1.", "norm2.", "mlp.fc1.", "mlp.fc2.");
  private static final String PROJECTION = "attn.proj.";
  private static final String THEIR_PROJECTION = "attention.output.dense.";
  private static final String QKV = "attn.qkv.";
  private static final String ATTENTION = "attention.attention.";
  private static final List<String> PARTS = List.of("query.", "key.", "value.");
  private static final Pattern BLOCK = Pattern.compile("blocks\\.(\\d+)\\.(.*)");
  private static final Pattern LAYER = Pattern.compile("encoder\\.layer\\.(\\d+)\\.(.*)");

  private final List<String> inLayers;

  HuggingFaceNames(String... inLayers) {
    this.inLayers = List.of(inLayers);
  }

  /** An encoder under these names. */
  SortedMap<String, Weight> of(SortedMap<String, Weight> timm) {
    SortedMap<String, Weight> named = new TreeMap<>();
    timm.forEach(
        (name, weight) -> {
          Matcher block = BLOCK.matcher(name);
          if (!block.matches()) {
            named.put(OUTSIDE.getOrDefault(name, name), weight);
            return;
          }
          String layer = "encoder.layer." + block.group(1) + ".";
          String inside = block.group(2);
          if (inside.startsWith(QKV)) {
            for (int part = 0; part < PARTS.size(); part++) {
              String kind = inside.substring(QKV.length());
              named.put(layer + ATTENTION + PARTS.get(part) + kind, third(weight, part));
            }
          } else {
            named.put(
                layer + replaced(inside, TIMM, inLayers, PROJECTION, THEIR_PROJECTION), weight);
          }
        });
    return named;
  }

  /** The same name with another beginning, if it has one of those. */
  private static String replaced(
      String name, List<String> from, List<String> to, String alsoFrom, String alsoTo) {
    if (name.startsWith(alsoFrom)) {
      return alsoTo + name.substring(alsoFrom.length());
    }
    for (int i = 0; i < from.size(); i++) {
      if (name.startsWith(from.get(i))) {
        return to.get(i) + name.substring(from.get(i).length());
      }
    }
    return name;
  }

  private static Weight third(Weight all, int part) {
    int[] shape = all.shape().clone();
    shape[0] /= PARTS.size();
    int size = all.values().length / PARTS.size();
    return new Weight(shape, Arrays.copyOfRange(all.values(), part * size, (part + 1) * size));
  }

  /**
   * A file's tensors under timm's names, after the same prefix, if they are an encoder of
   * transformers; else as they are. What has no name in timm keeps its own.
   */
  static SortedMap<String, Weight> toTimm(SortedMap<String, Weight> file) {
    List<String> prefixes =
        file.keySet().stream()
            .filter(name -> name.equals(PATCHES) || name.endsWith("." + PATCHES))
            .map(name -> name.substring(0, name.length() - PATCHES.length()))
            .toList();
    SortedMap<String, Weight> renamed = new TreeMap<>(file);
    for (String prefix : prefixes) {
      file.keySet().stream()
          .filter(name -> name.startsWith(prefix))
          .forEach(
              name ->
                  renamed.put(
                      prefix + toTimm(name.substring(prefix.length())), renamed.remove(name)));
      join(renamed, prefix);
    }
    return renamed;
  }

  private static String toTimm(String name) {
    for (Map.Entry<String, String> outside : OUTSIDE.entrySet()) {
      if (outside.getValue().equals(name)) {
        return outside.getKey();
      }
    }
    Matcher layer = LAYER.matcher(name);
    return layer.matches()
        ? "blocks.%s.%s"
            .formatted(
                layer.group(1),
                replaced(layer.group(2), VIT.inLayers, TIMM, THEIR_PROJECTION, PROJECTION))
        : name;
  }

  /** Puts queries, keys and values below each other, where all three are there. */
  private static void join(SortedMap<String, Weight> renamed, String prefix) {
    String query = ATTENTION + PARTS.get(0);
    for (String name : List.copyOf(renamed.keySet())) {
      if (!name.startsWith(prefix) || !name.contains(query)) {
        continue;
      }
      List<String> names =
          PARTS.stream().map(part -> name.replace(query, ATTENTION + part)).toList();
      if (renamed.keySet().containsAll(names)) {
        List<Weight> parts = names.stream().map(renamed::remove).toList();
        renamed.put(name.replace(query, QKV), below(parts));
      }
    }
  }

  private static Weight below(List<Weight> parts) {
    int[] shape = parts.get(0).shape().clone();
    shape[0] = parts.stream().mapToInt(part -> part.shape()[0]).sum();
    float[] values = new float[parts.stream().mapToInt(part -> part.values().length).sum()];
    int at = 0;
    for (Weight part : parts) {
      System.arraycopy(part.values(), 0, values, at, part.values().length);
      at += part.values().length;
    }
    return new Weight(shape, values);
  }
}
