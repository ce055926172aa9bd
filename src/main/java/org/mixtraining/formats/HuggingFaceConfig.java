package org.mixtraining.formats;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.mixtraining.vit.ViT;

/**
 * The {@code config.json} of a model of Hugging Face's transformers. It says what no weight does:
 * how the encoder computes.
 *
 * @param config an empty object where there is no such file
 */
public record HuggingFaceConfig(JsonNode config) {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Above it, norms are other ones. */
  private static final double MOST_EPSILON = 1e-5;

  /** The configuration of a model that has none beside its weights. */
  public static HuggingFaceConfig none() {
    return new HuggingFaceConfig(JSON.createObjectNode());
  }

  /**
   * Reads it.
   *
   * @param file empty: there is none
   * @throws DamagedFileException if it is not a JSON object
   */
  public static HuggingFaceConfig read(byte[] file) throws DamagedFileException {
    try {
      JsonNode config = file.length == 0 ? JSON.createObjectNode() : JSON.readTree(file);
      if (config != null && config.isObject()) {
        return new HuggingFaceConfig(config);
      }
    } catch (IOException e) {
      // as any other text that is no object
    }
    throw new DamagedFileException("the config.json beside it is not a JSON object");
  }

  /** A line for each way in which it computes otherwise than a model of this job. */
  List<String> problems(ViT vit) {
    List<String> problems = new ArrayList<>();
    int heads = config.path("num_attention_heads").asInt(vit.encoder().heads());
    if (heads != vit.encoder().heads()) {
      problems.add(
          "num_attention_heads is %s there, and mixtraining.model.heads %s in this run"
              .formatted(heads, vit.encoder().heads()));
    }
    String activation = config.path("hidden_act").asText("gelu");
    if (!activation.equals("gelu")) {
      problems.add("hidden_act is %s there, and gelu in this job".formatted(activation));
    }
    double epsilon = config.path("layer_norm_eps").asDouble(ViT.EPSILON);
    if (epsilon > MOST_EPSILON) {
      problems.add("layer_norm_eps is %s there, and 1e-6 in this job".formatted(epsilon));
    }
    return problems;
  }
}
