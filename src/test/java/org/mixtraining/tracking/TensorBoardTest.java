package org.mixtraining.tracking;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;

import java.io.DataInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.zip.CRC32C;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.files.BucketFileSystem;
import org.nd4j.shade.protobuf.CodedInputStream;
import org.nd4j.shade.protobuf.WireFormat;
import org.tensorflow.framework.Summary;

/** The event files, read back by protobuf itself and the classes that it makes for TensorFlow. */
class TensorBoardTest {
  @TempDir Path output;

  private record Event(
      double wallTime, long step, String version, int session, SortedMap<String, Float> scalars) {}

  private List<Path> files() throws IOException {
    try (var files = Files.list(output.resolve("tensorboard/first"))) {
      return files.sorted().toList();
    }
  }

  private static List<Event> events(Path file) throws IOException {
    List<Event> events = new ArrayList<>();
    try (var in = new DataInputStream(Files.newInputStream(file))) {
      while (in.available() > 0) {
        byte[] length = in.readNBytes(8);
        assertThat(Integer.reverseBytes(in.readInt())).isEqualTo(masked(length));
        byte[] payload = in.readNBytes((int) littleEndian(length).getLong());
        assertThat(Integer.reverseBytes(in.readInt())).isEqualTo(masked(payload));
        events.add(event(payload));
      }
    }
    return events;
  }

  /** As TensorFlow's record_writer.h and crc32c.h say. */
  private static int masked(byte[] bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes);
    long value = crc.getValue();
    return (int) (((value >>> 15 | value << 17) & 0xffffffffL) + 0xa282ead8L);
  }

  private static ByteBuffer littleEndian(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static Event event(byte[] payload) throws IOException {
    double wallTime = 0;
    long step = 0;
    String version = "";
    int session = 0;
    SortedMap<String, Float> scalars = new TreeMap<>();
    CodedInputStream in = CodedInputStream.newInstance(payload);
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      switch (WireFormat.getTagFieldNumber(tag)) {
        case 1 -> wallTime = in.readDouble();
        case 2 -> step = in.readInt64();
        case 3 -> version = in.readString();
        case 5 ->
            Summary.parseFrom(in.readByteArray())
                .getValueList()
                .forEach(value -> scalars.put(value.getTag(), value.getSimpleValue()));
        case 7 -> session = in.readByteArray()[1];
        default -> throw new IOException("field " + WireFormat.getTagFieldNumber(tag));
      }
    }
    return new Event(wallTime, step, version, session, scalars);
  }

  @Test
  void everyEpochIsAPointOfEachScalarThatItHas() throws IOException {
    try (var board = new TensorBoard(new Configuration(), output.toString(), "first")) {
      board.epoch(Rows.epoch(1));
      board.epoch(Rows.epoch(300));
    }

    List<Event> events = events(files().get(0));
    assertThat(events).hasSize(4);
    assertThat(events.get(0).version()).isEqualTo("brain.Event:2");
    assertThat(events.get(1).session()).isEqualTo(1);
    assertThat(events.get(2).step()).isEqualTo(1);
    assertThat(events.get(2).wallTime()).isEqualTo(Rows.NOON.getEpochSecond() + 1.5);
    assertThat(events.get(2).scalars())
        .contains(
            entry("train/loss", 2.5f),
            entry("train/accuracy", 0.125f),
            entry("validation/accuracy", 0.25f),
            entry("schedule/learning_rate", 0.0005f),
            entry("cost/images_per_second", 200f),
            entry("cost/tflop", 2f))
        .doesNotContainKeys("train/ssl_loss", "validation/loss", "test/accuracy");
    assertThat(events.get(3).step()).isEqualTo(300);
  }

  @Test
  void aReaderSeesAnEpochWhileTheRunGoesOn() throws IOException {
    try (var board = new TensorBoard(new Configuration(), output.toString(), "first")) {
      board.epoch(Rows.epoch(1));

      assertThat(events(files().get(0))).hasSize(3);
    }
  }

  /** Which shows no file before it is closed. */
  @Test
  void aReaderOfAnObjectStoreDoesSoToo() throws IOException {
    Configuration store = new Configuration();
    BucketFileSystem.settings("s3", output).forEach(store::set);
    try (var board = new TensorBoard(store, "s3://bucket/", "first")) {
      for (int epoch = 1; epoch <= 3; epoch++) {
        board.epoch(Rows.epoch(epoch));

        List<Event> events = events(files().get(0));
        assertThat(events).hasSize(2 + epoch);
        assertThat(events.get(1 + epoch).step()).isEqualTo(epoch);
      }
    }
    assertThat(files()).hasSize(1);
    assertThat(events(files().get(0))).hasSize(5);
  }

  @Test
  void aRunThatGoesOnSaysFromWhichStep() throws IOException {
    for (int epoch = 1; epoch <= 2; epoch++) {
      try (var board = new TensorBoard(new Configuration(), output.toString(), "first")) {
        board.epoch(Rows.epoch(epoch));
      }
    }

    assertThat(files()).hasSize(2);
    Event start = events(files().get(1)).get(1);
    assertThat(start.session()).isEqualTo(1);
    assertThat(start.step()).isEqualTo(2);
  }

  @Test
  void theChecksumIsTheOneThatTensorFlowWrites() {
    // The length of a first record of 24 bytes, and the checksum that follows it in TensorFlow's
    // files.
    byte[] length = HexFormat.of().parseHex("1800000000000000");

    assertThat(masked(length))
        .isEqualTo(littleEndian(HexFormat.of().parseHex("a37f4b22")).getInt());
  }
}
