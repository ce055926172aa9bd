package org.mixtraining.formats;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.SortedMap;
import org.mixtraining.formats.TimmWeights.Weight;

/** A safetensors file of 32-bit floats as PyTorch programs read it. */
final class WeightFile {
  private static final ObjectMapper JSON = new ObjectMapper();

  private WeightFile() {}

  /**
   * The file.
   *
   * @throws ArithmeticException if it would be larger than an array can be
   */
  static byte[] of(SortedMap<String, Weight> tensors) {
    ObjectNode header = JSON.createObjectNode();
    header.putObject("__metadata__").put("format", "pt"); // which transformers asks for
    int end = 0;
    for (var tensor : tensors.entrySet()) {
      Weight weight = tensor.getValue();
      ObjectNode described = header.putObject(tensor.getKey());
      described.put("dtype", "F32");
      Arrays.stream(weight.shape()).forEach(described.withArray("shape")::add);
      int from = end;
      end = Math.addExact(from, Math.multiplyExact(Float.BYTES, weight.values().length));
      described.putArray("data_offsets").add(from).add(end);
    }
    byte[] json = bytes(header);
    int padded = (json.length + 7) / 8 * 8; // the tensors begin at a multiple of 8
    ByteBuffer file = ByteBuffer.allocate(Math.addExact(Long.BYTES + padded, end));
    file.order(ByteOrder.LITTLE_ENDIAN).putLong(padded).put(json);
    for (int i = json.length; i < padded; i++) {
      file.put((byte) ' ');
    }
    for (Weight weight : tensors.values()) {
      file.slice().order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().put(weight.values());
      file.position(file.position() + Float.BYTES * weight.values().length);
    }
    return file.array();
  }

  private static byte[] bytes(ObjectNode header) {
    try {
      return JSON.writeValueAsBytes(header);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }
}
