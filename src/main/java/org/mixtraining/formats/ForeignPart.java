package org.mixtraining.formats;

import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * Parts of other ViTs that this job's encoder does not have, recognised by timm's tensor names.
 * Without their weights the encoder would compute another function than the one that was trained.
 */
enum ForeignPart {
  LAYER_SCALE("LayerScale", ".*\\b(ls\\d?\\.(gamma|weight)|gamma(_\\d)?|layer_?scale.*|lambda1)"),
  QK_NORM("a norm of queries and keys", ".*attn\\.(qk?|k|norm|ln)_(norm|q|k|ln)\\..*"),
  ATTENTION_NORM("a norm in attention", ".*attn\\.(norm|inner_attn_ln|sub_ln|ln)\\..*"),
  MLP_NORM("a norm in the MLP", ".*mlp\\.(norm|ffn_ln|sub_ln|ln)\\..*"),
  GATED_MLP("a gated MLP (SwiGLU)", ".*mlp\\.(fc1_[gx]|w\\d+|w_\\w+|\\w*gate\\w*|up_proj)\\..*"),
  REGISTERS("register tokens", ".*(reg_token|register).*"),
  DISTILLATION("a distillation token", ".*dist(illation)?_token.*"),
  ROTARY("rotary positions", ".*(rope|rotary|freqs).*"),
  RELATIVE("relative positions", ".*(rel_pos|relative_position).*"),
  SEPARATE_BIASES("separate biases for q, k and v", ".*attn\\.[qkv]_bias"),
  PRE_NORM("a norm before the first block", "(norm_pre|pre_norm|ln_pre)\\..*|patch_embed\\.norm.*"),
  PATCH_EMBEDDING("a different patch embedding", "patch_embed\\..*"),
  ATTENTION_POOLING("pooling by attention", ".*attn_?pool.*|map_head\\..*"),
  POOLED_NORM("a norm after pooling instead of before it", "fc_norm\\..*"),
  UNKNOWN("", ".*");

  private static final Pattern OURS =
      Pattern.compile(
          "(patch_embed\\.proj|norm|blocks\\.\\d+\\.(norm[12]|attn\\.(qkv|proj)|mlp\\.fc[12]))\\.(weight|bias)"
              + "|cls_token|pos_embed");

  /** Heads, decoders and tensors that only training uses. */
  private static final Pattern BESIDE =
      Pattern.compile(
          "((?!map_)[^.]*head[^.]*|classifier|pooler|fc|pre_logits|projector|predictor|prototypes|decoder[^.]*)(\\..*)?"
              + "|mask_token|logit_scale|.*num_batches_tracked");

  private static final String FINAL_NORM = "norm.weight";

  private final String what;
  private final Pattern names;

  ForeignPart(String what, String names) {
    this.what = what;
    this.names = Pattern.compile(names);
  }

  /**
   * The reasons why an encoder with these tensors computes another function than this job's.
   *
   * @return a line for each part; empty if there is none
   */
  static List<String> problems(Set<String> tensors) {
    Map<ForeignPart, Set<String>> found = new TreeMap<>();
    for (String name : tensors) {
      // After a norm before pooling, one after it belongs to the head.
      boolean beside =
          BESIDE.matcher(name).matches() || (POOLED_NORM.has(name) && tensors.contains(FINAL_NORM));
      if (!beside && !OURS.matcher(name).matches()) {
        found.computeIfAbsent(of(name), part -> new TreeSet<>()).add(name);
      }
    }
    return found.entrySet().stream().map(part -> part.getKey().problem(part.getValue())).toList();
  }

  private static ForeignPart of(String name) {
    return Arrays.stream(values()).filter(part -> part.has(name)).findFirst().orElse(UNKNOWN);
  }

  private boolean has(String name) {
    return names.matcher(name).matches();
  }

  private String problem(Collection<String> names) {
    return this == UNKNOWN
        ? "it has unknown tensors, which may change what the encoder computes: %s; remove them from the file if they do not"
            .formatted(TimmEncoder.some(names))
        : "it has %s, which this job's encoder does not have: %s; without it the encoder would compute another function"
            .formatted(what, TimmEncoder.some(names));
  }
}
