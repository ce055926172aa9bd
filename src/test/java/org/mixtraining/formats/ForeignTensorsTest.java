package org.mixtraining.formats;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.SortedMap;
import org.junit.jupiter.api.Test;
import org.mixtraining.formats.TimmWeights.Weight;

class ForeignTensorsTest {

  @Test
  void numbersOfEverySizeAreRead() throws DamagedFileException {
    byte[] data =
        Safetensors.data(32)
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

    var tensors = ForeignTensors.read(Safetensors.file(header, data)).tensors();

    assertThat(tensors).containsOnlyKeys("b16", "f16", "f32", "f64");
    assertThat(tensors.get("f64").values()).containsExactly(1.5f);
    assertThat(tensors.get("f32").values()).containsExactly(-2.25f);
    assertThat(tensors.get("f16").values()).containsExactly(1.5f, -0x1p-24f);
    assertThat(tensors.get("f16").shape()).containsExactly(1, 2);
    assertThat(tensors.get("b16").values()).containsExactly(-2.25f);
  }

  @Test
  void everyNumberOfSixteenBitsBecomesTheSameNumber() throws DamagedFileException {
    ByteBuffer bits = Safetensors.data(2 << 16);
    for (int i = 0; i < 1 << 16; i++) {
      bits.putShort((short) i);
    }
    String header =
        "{\"a\": {\"dtype\": \"%s\", \"shape\": [65536], \"data_offsets\": [0, 131072]}}";

    float[] halves = read(header.formatted("F16"), bits.array()).get("a").values();
    float[] bfloats = read(header.formatted("BF16"), bits.array()).get("a").values();

    for (int i = 0; i < 1 << 16; i++) {
      assertThat((Object) (double) halves[i]).isEqualTo(value(i, 5, 10));
      assertThat((Object) (double) bfloats[i]).isEqualTo(value(i, 8, 7));
    }
  }

  /** IEEE 754 by its definition: a sign, an exponent, a fraction. */
  private static double value(int bits, int exponentBits, int fractionBits) {
    int exponent = bits >> fractionBits & (1 << exponentBits) - 1;
    double fraction = (bits & (1 << fractionBits) - 1) / (double) (1 << fractionBits);
    int bias = (1 << exponentBits - 1) - 1;
    double sign = bits >> 15 == 1 ? -1.0 : 1.0;
    if (exponent == (1 << exponentBits) - 1) {
      return fraction == 0 ? sign * Double.POSITIVE_INFINITY : Double.NaN;
    }
    return exponent == 0
        ? sign * fraction * Math.pow(2, 1 - bias)
        : sign * (1 + fraction) * Math.pow(2, exponent - bias);
  }

  private static SortedMap<String, Weight> read(String header, byte[] data)
      throws DamagedFileException {
    return ForeignTensors.read(Safetensors.file(header, data)).tensors();
  }

  @Test
  void whatIsWrongWithATensorIsSaid() {
    String header =
        "{\"a.weight\": {\"dtype\": \"%s\", \"shape\": [%s], \"data_offsets\": [0, 12]}}";

    assertDamaged(
        header.formatted("F32", 3),
        8,
        "it is truncated: a.weight should end at byte 89, and the file has 85");
    assertDamaged(
        header.formatted("F32", 4),
        12,
        "its header gives a.weight a size that does not match its shape");
    assertDamaged(
        header.formatted("F8_E4M3", 12),
        12,
        "a.weight has type F8_E4M3; supported: F64, F32, F16 and BF16");
    assertDamaged("{\"a.weight\": ", 12, "its header is not a JSON object");
  }

  private static void assertDamaged(String header, int bytes, String message) {
    assertThatThrownBy(() -> read(header, new byte[bytes]))
        .isInstanceOf(DamagedFileException.class)
        .hasMessage(message);
  }
}
