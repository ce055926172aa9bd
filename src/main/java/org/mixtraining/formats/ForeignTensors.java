package org.mixtraining.formats;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.mixtraining.formats.TimmWeights.Weight;

/**
 * The tensors of a <a href="https://github.com/huggingface/safetensors">safetensors</a> file that
 * another program wrote: in any order, and of 16, 32 or 64 bits. Those of 16 bits become 32 without
 * a loss. Tensors of whole numbers are left out.
 */
public record ForeignTensors(SortedMap<String, Weight> tensors) {

  private static final ObjectMapper JSON = new ObjectMapper();

  /** Types of counters, indices and masks, none of which is a weight. */
  private static final Set<String> LEFT_OUT =
      Set.of("BOOL", "I64", "I32", "I16", "U64", "U32", "U16");

  /**
   * @throws DamagedFileException if it is truncated, or its header is invalid
   */
  public static ForeignTensors read(byte[] content) throws DamagedFileException {
    JsonNode header = header(content);
    int start = Long.BYTES + headerBytes(content);
    SortedMap<String, Weight> tensors = new TreeMap<>();
    for (Map.Entry<String, JsonNode> tensor : header.properties()) {
      String type = tensor.getValue().path("dtype").asText();
      if (!tensor.getKey().equals("__metadata__") && !LEFT_OUT.contains(type)) {
        tensors.put(tensor.getKey(), tensor(tensor.getKey(), tensor.getValue(), content, start));
      }
    }
    return new ForeignTensors(tensors);
  }

  private static int headerBytes(byte[] content) throws DamagedFileException {
    long bytes = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN).getLong();
    if (bytes < 2 || bytes > content.length - Long.BYTES) {
      throw new DamagedFileException(
          "it is truncated: its header should be %s bytes long, and the whole file has %s"
              .formatted(bytes, content.length));
    }
    return (int) bytes;
  }

  static JsonNode header(byte[] content) throws DamagedFileException {
    try {
      return JSON.readTree(
          new String(content, Long.BYTES, headerBytes(content), StandardCharsets.UTF_8));
    } catch (JsonProcessingException e) {
      throw new DamagedFileException("its header is not a JSON object");
    }
  }

  private static int bytes(String name, String type) throws DamagedFileException {
    return switch (type) {
      case "F64" -> 8;
      case "F32" -> 4;
      case "F16", "BF16" -> 2;
      default ->
          throw new DamagedFileException(
              "%s has type %s; supported: F64, F32, F16 and BF16".formatted(name, type));
    };
  }

  private static Weight tensor(String name, JsonNode tensor, byte[] content, int start)
      throws DamagedFileException {
    JsonNode dims = tensor.path("shape");
    int[] shape = new int[dims.size()];
    long size = 1;
    for (int d = 0; d < shape.length; d++) {
      shape[d] = dims.get(d).asInt(-1);
      size *= Math.max(0, shape[d]);
    }
    String type = tensor.path("dtype").asText();
    int bytes = bytes(name, type);
    long from = start + tensor.path("data_offsets").path(0).asLong(-1);
    long to = start + tensor.path("data_offsets").path(1).asLong(-1);
    if (from < start || to - from != size * bytes) {
      throw new DamagedFileException(
          "its header gives %s a size that does not match its shape".formatted(name));
    }
    if (to > content.length) {
      throw new DamagedFileException(
          "it is truncated: %s should end at byte %s, and the file has %s"
              .formatted(name, to, content.length));
    }
    ByteBuffer data = ByteBuffer.wrap(content, (int) from, (int) (to - from)).slice();
    return new Weight(shape, floats(type, data.order(ByteOrder.LITTLE_ENDIAN), (int) size));
  }

  private static float[] floats(String type, ByteBuffer data, int size) {
    float[] values = new float[size];
    for (int i = 0; i < size; i++) {
      values[i] =
          switch (type) {
            case "F64" -> (float) data.getDouble();
            case "F32" -> data.getFloat();
            case "BF16" -> Float.intBitsToFloat(data.getShort() << 16);
            default -> half(data.getShort());
          };
    }
    return values;
  }

  /** IEEE 754 binary16; Java converts it from version 20 on. */
  private static float half(short bits) {
    int sign = bits & 0x8000;
    int exponent = bits >> 10 & 0x1F;
    int fraction = bits & 0x3FF;
    float magnitude =
        exponent == 0x1F
            ? (fraction == 0 ? Float.POSITIVE_INFINITY : Float.NaN)
            : exponent == 0
                ? fraction * 0x1p-24f
                : Math.scalb(1 + fraction * 0x1p-10f, exponent - 15);
    return sign == 0 ? magnitude : -magnitude;
  }
}
