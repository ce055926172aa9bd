package org.mixtraining.formats;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.apache.commons.lang3.function.Failable;
import org.mixtraining.config.ModelConfig.Pooling;
import org.mixtraining.formats.TimmWeights.Weight;
import org.mixtraining.vit.Architecture;
import org.mixtraining.vit.Architecture.Transformer;
import org.mixtraining.vit.ViT;

/**
 * A model as a directory that Python's libraries load: weights in safetensors, and JSON that says
 * of what model they are and how images become its input.
 *
 * @param files by their names, the weights last
 */
public record ModelFolder(Map<String, byte[]> files) {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String WEIGHTS = "model.safetensors";
  private static final String CONFIG = "config.json";
  private static final int BICUBIC = 3; // as Pillow numbers it

  /**
   * For timm: {@code timm.create_model("local-dir:DIR", pretrained=True)}; or {@code
   * timm.create_model(architecture, **model_args)}, of {@code config.json}, and {@code
   * load_state_dict}.
   */
  public static ModelFolder timm(TrainedModel model, ModelCard.Task task) {
    Architecture architecture = model.card().vit().architecture();
    Transformer encoder = architecture.encoder();
    boolean mean = architecture.pooling() == Pooling.MEAN;
    Map<String, Object> args = new LinkedHashMap<>();
    args.put("img_size", task.imageSize());
    args.put("patch_size", architecture.patch());
    args.put("in_chans", architecture.channels());
    args.put("num_classes", task.classes().size());
    args.put("embed_dim", encoder.dim());
    args.put("depth", encoder.depth());
    args.put("num_heads", encoder.heads());
    args.put("mlp_ratio", encoder.mlpRatio());
    args.put("global_pool", mean ? "avg" : "token");
    args.put("fc_norm", false); // the norm comes before the mean, not after it
    Map<String, Object> input = new LinkedHashMap<>();
    int side = task.imageSize();
    input.put("input_size", List.of(architecture.channels(), side, side));
    input.put("fixed_input_size", true);
    input.put("interpolation", "bicubic");
    input.put("crop_pct", task.crop());
    input.put("crop_mode", "center");
    input.put("mean", coloured(task.normalization().mean(), architecture));
    input.put("std", coloured(task.normalization().std(), architecture));
    input.put("num_classes", task.classes().size());
    input.put("first_conv", "patch_embed.proj");
    input.put("classifier", "head");
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("architecture", "vit_tiny_patch16_224");
    config.put("num_classes", task.classes().size());
    config.put("num_features", encoder.dim());
    config.put("global_pool", args.get("global_pool"));
    config.put("model_args", args);
    config.put("pretrained_cfg", input);
    config.put("label_names", task.classes());
    config.put("mixtraining", notes(model.card().vit()));
    return of(Map.of(CONFIG, config), TimmTensors.of(model, task));
  }

  /** What the model has that timm's own of this architecture does not, and how it is expressed. */
  private static List<String> notes(ViT vit) {
    boolean mean = vit.architecture().pooling() == Pooling.MEAN;
    return List.of(
        vit.architecture().learnsPositions()
            ? "pos_embed: sine-cosine positions and what was learned in addition"
            : "pos_embed: fixed sine-cosine positions, which timm would train",
        mean
            ? "global_pool = avg with fc_norm = false: the mean of the normalised patch tokens"
            : "global_pool = token: the normalised class token");
  }

  /**
   * For Hugging Face's transformers: {@code AutoModelForImageClassification.from_pretrained(DIR)},
   * a {@code ViTForImageClassification} where the class token is pooled, and where the mean of the
   * tokens is, which that does not know, a {@code Dinov2ForImageClassification} without layer
   * scale. An encoder whose heads are untrained becomes a {@code ViTMAEModel}.
   */
  public static ModelFolder huggingFace(TrainedModel model, ModelCard.Task task) {
    SortedMap<String, Weight> timm = TimmTensors.of(model, task);
    Weight head = timm.remove("head.weight");
    Weight bias = timm.remove("head.bias");
    Transformer encoder = model.card().vit().encoder();
    Map<String, Object> config = new LinkedHashMap<>();
    SortedMap<String, Weight> weights;
    if (!model.isTrained(task.head())) {
      config.put("architectures", List.of("ViTMAEModel"));
      config.put("model_type", "vit_mae");
      config.put("intermediate_size", encoder.hidden());
      config.put("mask_ratio", model.card().vit().served().maskRatio());
      decoder(config, model.card().vit());
      weights = HuggingFaceNames.VIT.of(timm);
    } else if (model.card().vit().architecture().pooling() == Pooling.CLS) {
      config.put("architectures", List.of("ViTForImageClassification"));
      config.put("model_type", "vit");
      config.put("intermediate_size", encoder.hidden());
      labels(config, task);
      weights = below("vit.", HuggingFaceNames.VIT.of(timm));
      weights.put("classifier.weight", head);
      weights.put("classifier.bias", bias);
    } else {
      config.put("architectures", List.of("Dinov2ForImageClassification"));
      config.put("model_type", "dinov2");
      config.put("mlp_ratio", encoder.mlpRatio());
      config.put("layerscale_value", 1.0);
      config.put("use_mask_token", false);
      config.put("use_swiglu_ffn", false);
      labels(config, task);
      weights = below("dinov2.", HuggingFaceNames.DINOV2.of(timm));
      noLayerScale(weights, encoder);
      weights.put("classifier.weight", ofMean(head));
      weights.put("classifier.bias", bias);
    }
    shape(config, model.card().vit(), task);
    Map<String, Object> descriptions = new LinkedHashMap<>();
    descriptions.put(CONFIG, config);
    descriptions.put("preprocessor_config.json", input(model.card().vit(), task));
    return of(descriptions, weights);
  }

  private static void shape(Map<String, Object> config, ViT vit, ModelCard.Task task) {
    config.put("image_size", task.imageSize());
    config.put("patch_size", vit.architecture().patch());
    config.put("num_channels", vit.architecture().channels());
    config.put("hidden_size", vit.encoder().dim());
    config.put("num_hidden_layers", vit.encoder().depth());
    config.put("num_attention_heads", vit.encoder().heads());
    config.put("hidden_act", "gelu");
    config.put("layer_norm_eps", (double) Math.round(ViT.EPSILON * 1e9) / 1e9);
    config.put("qkv_bias", true);
    config.put("hidden_dropout_prob", 0.0);
    config.put("attention_probs_dropout_prob", 0.0);
    config.put("torch_dtype", "float32");
  }

  private static void decoder(Map<String, Object> config, ViT vit) {
    config.put("decoder_hidden_size", vit.decoder().dim());
    config.put("decoder_num_hidden_layers", vit.decoder().depth());
    config.put("decoder_num_attention_heads", vit.decoder().heads());
    config.put("decoder_intermediate_size", vit.decoder().hidden());
    config.put("norm_pix_loss", vit.architecture().normPix());
  }

  private static void labels(Map<String, Object> config, ModelCard.Task task) {
    Map<String, String> names = new LinkedHashMap<>();
    Map<String, Integer> ids = new LinkedHashMap<>();
    IntStream.range(0, task.classes().size())
        .forEach(
            i -> {
              names.put(Integer.toString(i), task.classes().get(i));
              ids.put(task.classes().get(i), i);
            });
    config.put("id2label", names);
    config.put("label2id", ids);
  }

  /** As this job makes an image a model's input, but for the square that it cuts out before. */
  private static Map<String, Object> input(ViT vit, ModelCard.Task task) {
    Map<String, Object> input = new LinkedHashMap<>();
    input.put("image_processor_type", "ViTImageProcessor");
    input.put("do_resize", true);
    int size = (int) Math.round(task.imageSize() / task.crop());
    input.put("size", square(size));
    if (size > task.imageSize()) {
      input.put("do_center_crop", true);
      input.put("crop_size", square(task.imageSize()));
    }
    input.put("resample", BICUBIC);
    input.put("do_rescale", true);
    input.put("rescale_factor", 1.0 / 255);
    input.put("do_normalize", true);
    input.put("image_mean", coloured(task.normalization().mean(), vit.architecture()));
    input.put("image_std", coloured(task.normalization().std(), vit.architecture()));
    return input;
  }

  private static Map<String, Integer> square(int side) {
    Map<String, Integer> size = new LinkedHashMap<>();
    size.put("height", side);
    size.put("width", side);
    return size;
  }

  /** One value a channel, where grey images are seen as coloured. */
  private static List<Double> coloured(List<Double> values, Architecture architecture) {
    return values.size() == architecture.channels()
        ? values
        : Collections.nCopies(architecture.channels(), values.get(0));
  }

  private static SortedMap<String, Weight> below(String prefix, SortedMap<String, Weight> tensors) {
    SortedMap<String, Weight> all = new TreeMap<>();
    tensors.forEach((name, weight) -> all.put(prefix + name, weight));
    return all;
  }

  private static void noLayerScale(SortedMap<String, Weight> weights, Transformer encoder) {
    float[] ones = new float[encoder.dim()];
    Arrays.fill(ones, 1);
    for (int i = 0; i < encoder.depth(); i++) {
      for (int scale = 1; scale <= 2; scale++) {
        weights.put(
            "dinov2.encoder.layer.%s.layer_scale%s.lambda1".formatted(i, scale),
            new Weight(new int[] {ones.length}, ones));
      }
    }
  }

  /** The head of [class token, mean of the others] that ignores the first. */
  private static Weight ofMean(Weight head) {
    int classes = head.shape()[0];
    int dim = head.shape()[1];
    float[] both = new float[classes * 2 * dim];
    for (int c = 0; c < classes; c++) {
      System.arraycopy(head.values(), c * dim, both, (2 * c + 1) * dim, dim);
    }
    return new Weight(new int[] {classes, 2 * dim}, both);
  }

  private static ModelFolder of(Map<String, Object> texts, SortedMap<String, Weight> weights) {
    Map<String, byte[]> files = new LinkedHashMap<>();
    new TreeMap<>(texts).forEach((name, text) -> files.put(name, json(text)));
    files.put(WEIGHTS, WeightFile.of(weights));
    return new ModelFolder(files);
  }

  private static byte[] json(Object value) {
    String text =
        Failable.call(() -> JSON.writerWithDefaultPrettyPrinter().writeValueAsString(value));
    return (text + "\n").getBytes(StandardCharsets.UTF_8);
  }
}
