package org.mixtraining.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class ForeignTensorsTest {

  private static byte[] file(String header, byte[] data) {
    byte[] json = header.getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(8 + json.length + data.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(json.length)
        .put(json)
        .put(data)
        .array();
  }

  private static ByteBuffer data(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  @Test
  void numbersOfEverySizeAreRead() throws DamagedFileException {
    byte[] data =
        data(32)
            .putDouble(1.5)
            .putFloat(-2.25f)
            .putShort((short) 0x3E00) // 1.5
            .putShort((short) 0x8001) // the smallest negative, −2⁻²⁴
            .putShort((short) 0xC010) // bfloat16 −2.25
            .putLong(7)
            .array();
    String header =
        """
        {"b16": {"dtype": "BF16", "shape": [1], "data_offsets": [16, 18]},
         "f16": {"dtype": "F16", "shape": [1, 2], "data_offsets": [12, 16]},
         "f64": {"dtype": "F64", "shape": [], "data_offsets": [0, 8]},
         "f32": {"dtype": "F32", "shape": [1], "data_offsets": [8, 12]},
         "step": {"dtype": "I64", "shape": [], "data_offsets": [18, 26]}}
        """;

    var tensors = ForeignTensors.read(file(header, data)).tensors();

    assertThat(tensors).containsOnlyKeys("b16", "f16", "f32", "f64");
    assertThat(tensors.get("f64").values()).containsExactly(1.5f);
    assertThat(tensors.get("f32").values()).containsExactly(-2.25f);
    assertThat(tensors.get("f16").values()).containsExactly(1.5f, -0x1p-24f);
    assertThat(tensors.get("f16").shape()).containsExactly(1, 2);
    assertThat(tensors.get("b16").values()).containsExactly(-2.25f);
  }

  @Test
  void aTensorOutsideTheFileIsNamed() {
    String header =
        "{\"a.weight\": {\"dtype\": \"F32\", \"shape\": [3], \"data_offsets\": [0, 12]}}";

    assertThatThrownBy(() -> ForeignTensors.read(file(header, new byte[8])))
        .isInstanceOf(DamagedFileException.class)
        .hasMessage("it is cut off, or its header puts a.weight at a wrong place");
  }
}
