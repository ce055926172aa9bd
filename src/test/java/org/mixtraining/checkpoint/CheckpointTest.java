package org.mixtraining.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.List;
import java.util.SortedMap;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mixtraining.formats.DamagedFileException;
import org.mixtraining.formats.TensorFile;
import org.mixtraining.run.RunState;

class CheckpointTest {
  private static final Checkpoint CHECKPOINT = CheckpointFixtures.checkpoint(3);
  private static final byte[] BYTES = bytes(CHECKPOINT);

  private static byte[] bytes(Checkpoint checkpoint) {
    try {
      var out = new ByteArrayOutputStream();
      checkpoint.write(out);
      return out.toByteArray();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static Checkpoint read(byte[] bytes) throws IOException {
    return Checkpoint.read(new ByteArrayInputStream(bytes), bytes.length);
  }

  @Test
  void everyBitComesBack() throws IOException {
    assertThat(read(BYTES)).isEqualTo(CHECKPOINT);
    assertThat(bytes(read(BYTES))).isEqualTo(BYTES);
  }

  @Test
  void aModelIsTheSameParametersWithoutMoments() throws IOException {
    Checkpoint model = read(bytes(CHECKPOINT.model()));

    assertThat(model.state().model()).isEqualTo(CHECKPOINT.state().model().withoutMoments());
    assertThat(model.state().model().sha256()).isEqualTo(CHECKPOINT.state().model().sha256());
    assertThat(model.state().averaging().blocks()).isEmpty();
  }

  /** Versions that ended a run when its patience was over, and counted no evaluation. */
  @Test
  void anOlderOneIsReadWithoutWhatItDoesNotHave() throws IOException {
    TensorFile file = TensorFile.read(new ByteArrayInputStream(BYTES), BYTES.length);
    ObjectNode header = (ObjectNode) new ObjectMapper().readTree(file.text());
    ((ObjectNode) header.get("patience")).remove("end");
    ((ObjectNode) header.get("progress"))
        .remove(
            List.of("devices", "evaluationSeconds", "evaluationFlops", "evaluationDeviceSeconds"));
    var older = new ByteArrayOutputStream();
    new TensorFile(header.toString(), file.tensors()).write(older);

    Checkpoint read = read(older.toByteArray());

    assertThat(read.state().model()).isEqualTo(CHECKPOINT.state().model());
    assertThat(read.state().patience().exhausted()).isFalse();
    assertThat(read.progress().deviceSeconds()).isEqualTo(CHECKPOINT.progress().deviceSeconds());
    assertThat(read.progress().devices()).isNull();
    assertThat(read.progress().evaluationFlops()).isNull();
  }

  /** It goes on within an objective as it is; the next one begins with moments of its own. */
  @Test
  void aFileFromBeforeMomentsBelongedToAnObjectiveHasNoneAtRest() throws Exception {
    TensorFile file = TensorFile.read(new ByteArrayInputStream(BYTES), BYTES.length);
    ObjectNode header = (ObjectNode) new ObjectMapper().readTree(file.text());
    assertThat(header.remove("resting")).isNotNull();
    SortedMap<String, float[]> tensors = new TreeMap<>(file.tensors());
    assertThat(tensors.keySet().removeIf(name -> name.startsWith("resting/"))).isTrue();
    ByteArrayOutputStream old = new ByteArrayOutputStream();
    new TensorFile(header.toString(), tensors).write(old);

    RunState state = read(old.toByteArray()).state();

    assertThat(state.resting()).isEmpty();
    assertThat(state.model()).isEqualTo(CHECKPOINT.state().model());
  }

  /** Length, header, tensors from 0 on without gaps: what any reader of the layout relies on. */
  @Test
  void itIsAWellFormedSafetensorsFile() throws Exception {
    ByteBuffer file = ByteBuffer.wrap(BYTES).order(ByteOrder.LITTLE_ENDIAN);
    int length = (int) file.getLong(0);
    JsonNode header = new ObjectMapper().readTree(BYTES, 8, length);
    JsonNode encoder = header.get("model/encoder/parameters");
    JsonNode digest = header.get("sha256");

    assertThat(length % 8).isZero();
    assertThat(header.get("__metadata__")).allMatch(JsonNode::isTextual);
    assertThat(encoder.get("dtype").asText()).isEqualTo("F32");
    assertThat(encoder.get("shape").toString()).isEqualTo("[300]");
    int from = 8 + length + encoder.get("data_offsets").get(0).asInt();
    assertThat(file.getInt(from + 4 * 17))
        .isEqualTo(
            Float.floatToRawIntBits(CHECKPOINT.state().model().block("encoder").parameters()[17]));
    assertThat(digest.get("data_offsets").get(1).asInt()).isEqualTo(BYTES.length - 8 - length);
    assertThat(Arrays.copyOfRange(BYTES, BYTES.length - 32, BYTES.length))
        .isEqualTo(
            MessageDigest.getInstance("SHA-256").digest(Arrays.copyOf(BYTES, BYTES.length - 32)));
  }

  // --- damage ------------------------------------------------------------------------------------

  @ParameterizedTest
  @CsvSource({
    "0, it has only 0 bytes",
    "39, it has only 39 bytes",
    "100, 'its header cannot be '",
    "3000, it is truncated or has extra bytes",
  })
  void aTruncatedFileSaysSo(int length, String problem) {
    assertThatThrownBy(() -> read(Arrays.copyOf(BYTES, length)))
        .isInstanceOf(DamagedFileException.class)
        .hasMessageStartingWith(problem);
  }

  @Test
  void aFileOfSomethingElseSaysSo() {
    byte[] text = "model = vit-tiny\n".repeat(10).getBytes(StandardCharsets.UTF_8);

    assertThatThrownBy(() -> read(text))
        .isInstanceOf(DamagedFileException.class)
        .hasMessageStartingWith("its header cannot be ");
  }

  @Test
  void anotherProgramsTensorsAreNoCheckpoint() throws IOException {
    var out = new ByteArrayOutputStream();
    new TensorFile("", new TreeMap<>()).write(out);

    assertThatThrownBy(() -> read(out.toByteArray()))
        .isInstanceOf(DamagedFileException.class)
        .hasMessage("it is not a checkpoint of this job");
  }

  @Test
  void anyBitThatFlipsIsNoticed() {
    var random = new SplittableRandom(1);
    for (int i = 0; i < 4000; i++) {
      byte[] damaged = BYTES.clone();
      int bit = i < 2000 ? i : random.nextInt(8 * BYTES.length); // the header's first ones all
      damaged[bit / 8] ^= (byte) (1 << bit % 8);
      assertThatThrownBy(() -> read(damaged))
          .as("bit %d", bit)
          .isInstanceOf(DamagedFileException.class)
          .message()
          .startsWith("it");
    }
  }

  @Test
  void anyLengthThatIsNotTheWholeIsNoticed() {
    for (int length = 0; length < BYTES.length + 40; length += length == BYTES.length - 1 ? 2 : 1) {
      byte[] other = Arrays.copyOf(BYTES, length);
      assertThatThrownBy(() -> read(other))
          .as("%d bytes", other.length)
          .isInstanceOf(DamagedFileException.class);
    }
  }

  /** Headers with a right checksum and wrong content: nothing but a clear error comes of them. */
  @Test
  void aHostileHeaderIsRefusedBeforeMemoryIsTaken() throws Exception {
    int length = (int) ByteBuffer.wrap(BYTES).order(ByteOrder.LITTLE_ENDIAN).getLong();
    String header = new String(BYTES, 8, length, StandardCharsets.UTF_8);
    var random = new SplittableRandom(2);
    String[] numbers = {
      "-1", "2147483647", "9223372036854775807", "1e300", "null", "\"a\"", "[]", "{}", "4294967296"
    };
    for (int i = 0; i < 2000; i++) {
      String hostile = header;
      for (int change = 0; change <= random.nextInt(3); change++) {
        hostile = replaceANumber(hostile, random, numbers[random.nextInt(numbers.length)]);
      }
      byte[] file = withHeader(hostile);
      if (hostile.equals(header)) {
        continue;
      }
      try {
        // Some keys of the text may hold any number: then a checkpoint comes back.
        assertThat(read(file).state().model()).isNotNull();
      } catch (DamagedFileException e) {
        assertThat(e).hasMessageStartingWith("it");
      }
    }
  }

  @Test
  void aHeaderNestedWithoutEndIsRefused() throws Exception {
    byte[] file = withHeader("{\"a\":".repeat(100_000));

    assertThatThrownBy(() -> read(file))
        .isInstanceOf(DamagedFileException.class)
        .hasMessage("its header is not a JSON object");
    assertThatCode(() -> read(BYTES)).doesNotThrowAnyException();
  }

  private static String replaceANumber(String text, SplittableRandom random, String by) {
    int from = random.nextInt(text.length());
    while (from < text.length() && !Character.isDigit(text.charAt(from))) {
      from++;
    }
    int to = from;
    while (to < text.length() && Character.isDigit(text.charAt(to))) {
      to++;
    }
    return text.substring(0, from) + by + text.substring(to);
  }

  private static byte[] withHeader(String header) throws Exception {
    byte[] json = header.getBytes(StandardCharsets.UTF_8);
    int tensors = 8 + (int) ByteBuffer.wrap(BYTES).order(ByteOrder.LITTLE_ENDIAN).getLong();
    var file = new ByteArrayOutputStream();
    file.write(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(json.length).array());
    file.write(json);
    file.write(BYTES, tensors, BYTES.length - tensors - 32);
    file.write(MessageDigest.getInstance("SHA-256").digest(file.toByteArray()));
    return file.toByteArray();
  }
}
