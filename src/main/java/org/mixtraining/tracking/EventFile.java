package org.mixtraining.tracking;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Instant;
import java.util.Map;
import java.util.zip.CRC32C;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.nd4j.shade.protobuf.CodedOutputStream;
import org.tensorflow.framework.Summary;

/**
 * TensorBoard's event file: TFRecords (length, payload, and a masked CRC-32C of each) of protobuf
 * messages Event. ND4J has the classes that protobuf makes of TensorFlow's messages, but for Event
 * itself, whose few fields are written here by protobuf's own stream.
 *
 * @see <a
 *     href="https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/util/event.proto">event.proto</a>
 */
final class EventFile implements AutoCloseable {
  private static final int MASK = 0xa282ead8;

  /** SessionLog { status: START }. */
  private static final byte[] START = {1 << 3, 1};

  private final FSDataOutputStream out;

  /**
   * @param first the next step; TensorBoard discards steps from there on in older files
   */
  EventFile(FSDataOutputStream out, Instant at, long first) throws IOException {
    this.out = out;
    write(at, 0, event -> event.writeString(3, "brain.Event:2"));
    write(at, first, event -> event.writeByteArray(7, START));
  }

  /** Adds the scalars of a step, and makes them visible to readers. */
  void add(Instant at, long step, Map<String, Double> scalars) throws IOException {
    Summary.Builder summary = Summary.newBuilder();
    scalars.forEach(
        (tag, value) -> summary.addValueBuilder().setTag(tag).setSimpleValue(value.floatValue()));
    write(at, step, event -> event.writeMessage(5, summary.build()));
  }

  /** The one field of an event beside its time and step. */
  @FunctionalInterface
  private interface Content {
    void write(CodedOutputStream event) throws IOException;
  }

  private void write(Instant at, long step, Content content) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    CodedOutputStream event = CodedOutputStream.newInstance(bytes);
    event.writeDouble(1, at.getEpochSecond() + at.getNano() / 1e9);
    event.writeInt64(2, step);
    content.write(event);
    event.flush();
    write(bytes.toByteArray());
  }

  private void write(byte[] payload) throws IOException {
    byte[] length = littleEndian(Long.BYTES).putLong(payload.length).array();
    out.write(length);
    out.write(littleEndian(Integer.BYTES).putInt(masked(length)).array());
    out.write(payload);
    out.write(littleEndian(Integer.BYTES).putInt(masked(payload)).array());
    out.hflush();
  }

  private static int masked(byte[] bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes);
    return Integer.rotateRight((int) crc.getValue(), 15) + MASK;
  }

  private static ByteBuffer littleEndian(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  @Override
  public void close() throws IOException {
    out.close();
  }
}
