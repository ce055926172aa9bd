package org.mixtraining.vit.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ModelStateTest {

  /** More floats than the stream's buffer holds, and no multiple of it. */
  private static final int LARGE = 2 * (1 << 16) + 3;

  private final ModelState state =
      new ModelState(
          Map.of(
              ModelState.ENCODER, block(LARGE, 1, 70_000_000_000L),
              ModelState.DECODER, block(5, 2, 0),
              ModelState.HEAD, block(1, 3, 4)));

  @Test
  void writingAndReadingKeepsEveryBit() throws IOException {
    float[] odd = {Float.NaN, -0f, Float.MIN_VALUE, Float.NEGATIVE_INFINITY};
    ModelState strange =
        state.with(new ModelState(Map.of("odd", new ModelState.Block(odd, odd, odd, 1))));

    assertThat(read(written(strange))).isEqualTo(strange);
    assertThat(read(written(state.withoutMoments()))).isEqualTo(state.withoutMoments());
    assertThat(read(written(new ModelState()))).isEqualTo(new ModelState());
  }

  @Test
  void theStreamIsLittleEndian() throws IOException {
    byte[] bytes = written(one("b"));

    assertThat(bytes)
        .containsExactly(
            0,
            0,
            0,
            1, // blocks
            0,
            1,
            'b', // name
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            2, // steps
            0,
            0,
            0,
            1,
            0,
            0,
            0,
            0, // sizes
            0,
            0,
            (byte) 0x80,
            0x3f); // 1.0f
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, 1e-6, 0.3, 0.7, 0.999999})
  void aTruncatedStreamIsAnError(double share) throws IOException {
    byte[] bytes = written(state);
    byte[] part = Arrays.copyOf(bytes, (int) (share * bytes.length));

    assertThatThrownBy(() -> read(part)).isInstanceOf(EOFException.class);
  }

  @Test
  void javaSerializationKeepsEveryBit() throws IOException, ClassNotFoundException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
      out.writeObject(state);
    }
    try (ObjectInputStream in =
        new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
      assertThat(in.readObject()).isEqualTo(state);
    }
  }

  @Test
  void identityIsThatOfNamesAndParameters() {
    ModelState.Block encoder = state.block(ModelState.ENCODER);
    float[] last = encoder.parameters().clone();
    last[LARGE - 1] = Math.nextUp(last[LARGE - 1]);
    float[] moved = encoder.m().clone();
    moved[0]++;

    assertThat(state.sha256())
        .hasSize(64)
        .isEqualTo(state.withoutMoments().sha256())
        .isEqualTo(with(ModelState.ENCODER, encoder.parameters(), moved, encoder.v(), 9).sha256())
        .isNotEqualTo(with(ModelState.ENCODER, last, encoder.m(), encoder.v(), 1).sha256())
        .isNotEqualTo(state.only(List.of(ModelState.ENCODER)).sha256());
    assertThat(one("a").sha256()).isNotEqualTo(one("b").sha256());
  }

  @Test
  void theIdentityOfAKnownModelNeverChanges() throws Exception {
    byte[] named = {'b', 0, 0, (byte) 0x80, 0x3f}; // and 1.0f
    byte[] expected = MessageDigest.getInstance("SHA-256").digest(named);

    assertThat(one("b").sha256()).isEqualTo(HexFormat.of().formatHex(expected));
  }

  @Test
  void withReplacesBlocksOfTheSameName() {
    ModelState.Block fresh = block(7, 9, 1);
    ModelState merged = state.with(new ModelState(Map.of(ModelState.HEAD, fresh)));

    assertThat(merged.blocks()).hasSize(3).containsEntry(ModelState.HEAD, fresh);
    assertThat(merged.block(ModelState.ENCODER)).isSameAs(state.block(ModelState.ENCODER));
    assertThat(state.block(ModelState.HEAD)).isNotEqualTo(fresh);
  }

  @Test
  void onlyKeepsTheNamedBlocks() {
    assertThat(state.only(List.of(ModelState.HEAD, ModelState.ENCODER)).blocks())
        .containsOnlyKeys(ModelState.ENCODER, ModelState.HEAD);
    assertThatThrownBy(() -> state.only(List.of("tail")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("no block tail in [decoder, encoder, head]");
  }

  @Test
  void sizesCountParametersAndMoments() {
    assertThat(state.parameters()).isEqualTo(LARGE + 6);
    assertThat(state.bytes()).isEqualTo(12L * (LARGE + 6));
    assertThat(state.withoutMoments().bytes()).isEqualTo(4L * (LARGE + 6));
    assertThat(state.withoutMoments().block(ModelState.HEAD).steps()).isEqualTo(4);
  }

  @Test
  void blocksAreNotToBeAddedFromOutside() {
    assertThatThrownBy(() -> state.blocks().clear())
        .isInstanceOf(UnsupportedOperationException.class);
  }

  /** A block of one parameter, 1, after two steps; no moments. */
  private static ModelState one(String name) {
    float[] none = {};
    return new ModelState(Map.of(name, new ModelState.Block(new float[] {1}, none, none, 2)));
  }

  private ModelState with(String name, float[] parameters, float[] m, float[] v, long steps) {
    return state.with(new ModelState(Map.of(name, new ModelState.Block(parameters, m, v, steps))));
  }

  private static ModelState.Block block(int size, int seed, long steps) {
    return new ModelState.Block(
        values(size, seed), values(size, seed + 0.25f), values(size, seed + 0.5f), steps);
  }

  private static float[] values(int size, float first) {
    float[] values = new float[size];
    for (int i = 0; i < size; i++) {
      values[i] = first + i * 1e-3f;
    }
    return values;
  }

  private static byte[] written(ModelState state) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    state.write(new DataOutputStream(bytes));
    return bytes.toByteArray();
  }

  private static ModelState read(byte[] bytes) throws IOException {
    return ModelState.read(new DataInputStream(new ByteArrayInputStream(bytes)));
  }
}
