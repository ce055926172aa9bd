package org.mixtraining.tracking;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Map;
import java.util.zip.CRC32C;
import org.apache.hadoop.fs.FSDataOutputStream;

/**
 * TensorBoard's event file: TFRecords (length, payload, and a masked CRC-32C of each) of protobuf
 * messages Event. Spark provides protobuf in shaded form only, and these messages have five fields
 * of three kinds between them, so they are written here as the wire format says.
 *
 * @see <a
 *     href="https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/util/event.proto">event.proto</a>
 */
final class EventFile implements AutoCloseable {
  private static final int MASK = 0xa282ead8;
  private static final int START = 1;

  private final FSDataOutputStream out;

  /**
   * @param first the next step; TensorBoard discards steps from there on in older files
   */
  EventFile(FSDataOutputStream out, Instant at, long first) throws IOException {
    this.out = out;
    write(event(at, 0).bytes(3, "brain.Event:2".getBytes(StandardCharsets.UTF_8)));
    write(event(at, first).bytes(7, new Message().varint(1, START).encoded()));
  }

  /** Adds the scalars of a step, and makes them visible to readers. */
  void add(Instant at, long step, Map<String, Double> scalars) throws IOException {
    Message summary = new Message();
    scalars.forEach(
        (tag, value) ->
            summary.bytes(
                1,
                new Message()
                    .bytes(1, tag.getBytes(StandardCharsets.UTF_8))
                    .fixed32(2, Float.floatToIntBits(value.floatValue()))
                    .encoded()));
    write(event(at, step).bytes(5, summary.encoded()));
  }

  private static Message event(Instant at, long step) {
    double seconds = at.getEpochSecond() + at.getNano() / 1e9;
    return new Message().fixed64(1, Double.doubleToLongBits(seconds)).varint(2, step);
  }

  private void write(Message event) throws IOException {
    byte[] payload = event.encoded();
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

  /** A protobuf message: each field is its number and kind, and its value. */
  private static final class Message {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    Message varint(int field, long value) {
      varint(field << 3);
      varint(value);
      return this;
    }

    Message fixed64(int field, long bits) {
      varint(field << 3 | 1);
      out.writeBytes(littleEndian(Long.BYTES).putLong(bits).array());
      return this;
    }

    Message bytes(int field, byte[] value) {
      varint(field << 3 | 2);
      varint(value.length);
      out.writeBytes(value);
      return this;
    }

    Message fixed32(int field, int bits) {
      varint(field << 3 | 5);
      out.writeBytes(littleEndian(Integer.BYTES).putInt(bits).array());
      return this;
    }

    private void varint(long value) {
      long rest = value;
      while ((rest & ~0x7FL) != 0) {
        out.write((int) (rest & 0x7F | 0x80));
        rest >>>= 7;
      }
      out.write((int) rest);
    }

    byte[] encoded() {
      return out.toByteArray();
    }
  }
}
