package org.mixtraining.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.Locale;
import java.util.SortedMap;
import java.util.TreeMap;
import org.mixtraining.vit.TimmDonor.Weight;

/**
 * The tensors of a <a href="https://github.com/huggingface/safetensors">safetensors</a> file that
 * another program wrote: in any order, and of 16, 32 or 64 bits. Tensors of whole numbers are left
 * out.
 */
record ForeignTensors(SortedMap<String, Weight> tensors) {

  private static final ObjectMapper JSON = new ObjectMapper();

  /** Whether the content begins like such a file, and is none of this job's. */
  static boolean isSafetensors(byte[] content) {
    if (content.length < Long.BYTES + 2 || content[Long.BYTES] != '{') {
      return false;
    }
    try {
      return header(content).path("__metadata__").path("mixtraining").isMissingNode();
    } catch (DamagedFileException e) {
      return false;
    }
  }

  static ForeignTensors read(byte[] content) throws DamagedFileException {
    JsonNode header = header(content);
    int start = Long.BYTES + headerBytes(content);
    SortedMap<String, Weight> tensors = new TreeMap<>();
    for (Iterator<String> names = header.fieldNames(); names.hasNext(); ) {
      String name = names.next();
      JsonNode tensor = header.get(name);
      int bytes = bytes(tensor.path("dtype").asText());
      if (bytes > 0) {
        tensors.put(name, tensor(name, tensor, bytes, content, start));
      }
    }
    return new ForeignTensors(tensors);
  }

  private static int headerBytes(byte[] content) throws DamagedFileException {
    long bytes = little(content).getLong(0);
    if (bytes < 2 || bytes > content.length - Long.BYTES) {
      throw new DamagedFileException(
          String.format(
              Locale.ROOT,
              "its header cannot be %d bytes long in a file of %d",
              bytes,
              content.length));
    }
    return (int) bytes;
  }

  private static JsonNode header(byte[] content) throws DamagedFileException {
    try {
      return JSON.readTree(
          new String(content, Long.BYTES, headerBytes(content), StandardCharsets.UTF_8));
    } catch (JsonProcessingException e) {
      throw new DamagedFileException("its header is not a JSON object");
    }
  }

  private static int bytes(String type) {
    return switch (type) {
      case "F64" -> 8;
      case "F32" -> 4;
      case "F16", "BF16" -> 2;
      default -> 0;
    };
  }

  private static Weight tensor(String name, JsonNode tensor, int bytes, byte[] content, int start)
      throws DamagedFileException {
    JsonNode dims = tensor.path("shape");
    int[] shape = new int[dims.size()];
    long size = 1;
    for (int d = 0; d < shape.length; d++) {
      shape[d] = dims.get(d).asInt(-1);
      size *= Math.max(0, shape[d]);
    }
    long from = start + tensor.path("data_offsets").path(0).asLong(-1);
    long to = start + tensor.path("data_offsets").path(1).asLong(-1);
    if (from < start || to > content.length || to - from != size * bytes) {
      throw new DamagedFileException(
          "it is cut off, or its header puts %s at a wrong place".formatted(name));
    }
    ByteBuffer data = little(content).position((int) from);
    float[] values = new float[(int) size];
    for (int i = 0; i < values.length; i++) {
      values[i] =
          switch (tensor.path("dtype").asText()) {
            case "F64" -> (float) data.getDouble();
            case "F32" -> data.getFloat();
            case "BF16" -> Float.intBitsToFloat(data.getShort() << 16);
            default -> half(data.getShort());
          };
    }
    return new Weight(shape, values);
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

  private static ByteBuffer little(byte[] content) {
    return ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
  }
}
