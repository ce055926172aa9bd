package org.mixtraining.formats;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.mixtraining.formats.TimmWeights.Weight;

/** Safetensors files as other programs write them. */
final class Safetensors {
  private Safetensors() {}

  /** A file of a header and what follows it. */
  static byte[] file(String header, byte[] data) {
    byte[] json = header.getBytes(StandardCharsets.UTF_8);
    return data(8 + json.length + data.length).putLong(json.length).put(json).put(data).array();
  }

  static byte[] floats(Map<String, Weight> tensors) {
    return file(
        tensors, "F32", weight -> bytes(weight, 4, (to, i) -> to.putFloat(weight.values()[i])));
  }

  static byte[] doubles(Map<String, Weight> tensors) {
    return file(
        tensors, "F64", weight -> bytes(weight, 8, (to, i) -> to.putDouble(weight.values()[i])));
  }

  /** The upper halves of the floats, which they are rounded to if they are no more than that. */
  static byte[] bfloats(Map<String, Weight> tensors) {
    return file(
        tensors,
        "BF16",
        weight ->
            bytes(
                weight,
                2,
                (to, i) -> to.putShort((short) (Float.floatToIntBits(weight.values()[i]) >> 16))));
  }

  /** Floats that 16 bits of IEEE 754 hold, as those. */
  static byte[] halves(Map<String, Weight> tensors) {
    return file(
        tensors, "F16", weight -> bytes(weight, 2, (to, i) -> to.putShort(half(weight, i))));
  }

  private static short half(Weight weight, int i) {
    int bits = Float.floatToIntBits(weight.values()[i]);
    int exponent = (bits >> 23 & 0xFF) - 127 + 15;
    return (short) (bits >> 16 & 0x8000 | exponent << 10 | bits >> 13 & 0x3FF);
  }

  static ByteBuffer data(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private interface Put {
    void put(ByteBuffer to, int index);
  }

  private static byte[] bytes(Weight weight, int each, Put put) {
    ByteBuffer to = data(each * weight.values().length);
    for (int i = 0; i < weight.values().length; i++) {
      put.put(to, i);
    }
    return to.array();
  }

  private static byte[] file(
      Map<String, Weight> tensors, String type, Function<Weight, byte[]> content) {
    var data = new ByteArrayOutputStream();
    var header = new StringBuilder("{\"__metadata__\": {\"format\": \"pt\"}");
    tensors.forEach(
        (name, weight) -> {
          int from = data.size();
          data.writeBytes(content.apply(weight));
          String shape =
              Arrays.stream(weight.shape())
                  .mapToObj(Integer::toString)
                  .collect(Collectors.joining(", "));
          header.append(
              ", \"%s\": {\"dtype\": \"%s\", \"shape\": [%s], \"data_offsets\": [%s, %s]}"
                  .formatted(name, type, shape, from, data.size()));
        });
    return file(header.append('}').toString(), data.toByteArray());
  }
}
