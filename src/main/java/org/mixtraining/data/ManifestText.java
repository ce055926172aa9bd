package org.mixtraining.data;

import com.fasterxml.jackson.annotation.JsonSetter;
import com.fasterxml.jackson.annotation.Nulls;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.cfg.CoercionAction;
import com.fasterxml.jackson.databind.cfg.CoercionInputShape;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.type.LogicalType;
import java.io.IOException;
import java.util.stream.Collectors;

/**
 * The JSON text of a {@link DatasetManifest}. It may have been edited or copied in part: errors
 * name the field that is missing, of the wrong type or inconsistent with the others.
 */
final class ManifestText {
  private static final int SHOWN = 40;

  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(SerializationFeature.INDENT_OUTPUT)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
          .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
          .withCoercionConfig(
              LogicalType.Textual,
              texts -> {
                texts.setCoercion(CoercionInputShape.Integer, CoercionAction.Fail);
                texts.setCoercion(CoercionInputShape.Float, CoercionAction.Fail);
                texts.setCoercion(CoercionInputShape.Boolean, CoercionAction.Fail);
              })
          .defaultSetterInfo(JsonSetter.Value.construct(Nulls.FAIL, Nulls.FAIL))
          .build();

  private ManifestText() {}

  static String of(DatasetManifest manifest) {
    try {
      return JSON.writeValueAsString(manifest);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * Parses it.
   *
   * @throws IllegalArgumentException if it is not a manifest; its message names the field, in one
   *     line
   */
  static DatasetManifest parse(byte[] text) throws IOException {
    JsonNode json = null;
    try {
      json = JSON.readTree(text);
      check(json.isObject(), "it is not a JSON object");
      var manifest = JSON.treeToValue(json, DatasetManifest.class);
      check(manifest);
      return manifest;
    } catch (UnrecognizedPropertyException e) {
      throw refused("unknown field %s".formatted(field(e)), e);
    } catch (JsonProcessingException e) {
      throw refused(why(json, e), e);
    }
  }

  private static String why(JsonNode json, JsonProcessingException failure) {
    if (!(failure instanceof JsonMappingException mapping) || mapping.getPath().isEmpty()) {
      return "line %s is not valid JSON".formatted(failure.getLocation().getLineNr());
    }
    var at = value(json, mapping);
    return at.isMissingNode() || at.isNull()
        ? "it has no field " + field(mapping)
        : "its field %s cannot be %s".formatted(field(mapping), shown(at));
  }

  private static IllegalArgumentException refused(String why, Exception cause) {
    return new IllegalArgumentException(why, cause);
  }

  private static String field(JsonMappingException failure) {
    return failure.getPath().stream()
        .map(at -> at.getFieldName() == null ? "" + at.getIndex() : at.getFieldName())
        .collect(Collectors.joining("."));
  }

  private static JsonNode value(JsonNode root, JsonMappingException failure) {
    var at = root;
    for (var step : failure.getPath()) {
      at = step.getFieldName() == null ? at.path(step.getIndex()) : at.path(step.getFieldName());
    }
    return at;
  }

  private static String shown(JsonNode value) {
    var text = value.toString();
    return text.length() <= SHOWN ? text : text.substring(0, SHOWN) + "…";
  }

  // --- whether the fields fit each other ---------------------------------------------------------

  private static void check(DatasetManifest m) {
    check("channels", m.channels() == 1 || m.channels() == 3, m.channels());
    check("height", m.height() > 0, m.height());
    check("width", m.width() > 0, m.width());
    check("shards", m.shards() > 0, m.shards());
    check("dealing", m.dealing() >= 0 && m.dealing() <= Sharding.VERSION, m.dealing());
    check("validation", m.validation() >= 0 && m.validation() < 1, m.validation());
    check("classes", !m.classes().isEmpty(), m.classes());
    for (var split : Split.values()) {
      var name = "splits." + split.key();
      var contents = m.splits().get(split);
      check(contents != null, "it has no field " + name);
      int counts = contents.histogram().size();
      check(
          counts == m.classCount(),
          "its field %s.histogram has %s numbers, but there are %s classes"
              .formatted(name, counts, m.classCount()));
      long sum = contents.histogram().stream().mapToLong(n -> n).sum() + contents.unlabelled();
      check(
          contents.images() == sum
              && contents.unlabelled() >= 0
              && contents.histogram().stream().allMatch(n -> n >= 0),
          "its field %s.images is %s, but the histogram's sum is %s"
              .formatted(name, contents.images(), sum));
    }
    var mean = m.normalization().mean();
    var std = m.normalization().std();
    check("normalization.mean", mean.size() == m.channels(), mean);
    check(
        "normalization.std", std.size() == m.channels() && std.stream().allMatch(s -> s > 0), std);
  }

  private static void check(String field, boolean holds, Object value) {
    check(holds, "its field %s cannot be %s".formatted(field, value));
  }

  private static void check(boolean holds, String otherwise) {
    if (!holds) {
      throw new IllegalArgumentException(otherwise);
    }
  }
}
