package org.mixtraining.formats;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.DigestInputStream;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Iterator;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.commons.codec.digest.DigestUtils;

/**
 * A file of named float arrays and a text, in the safetensors layout: the length of the header as a
 * little-endian 64-bit number; the header, JSON that says each tensor's type, shape and place; the
 * tensors one after another, little-endian. The text is the metadata {@code mixtraining}. The last
 * tensor, {@code sha256}, is the digest of all bytes before it.
 *
 * @param text what the numbers mean
 */
public record TensorFile(String text, SortedMap<String, float[]> tensors) {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String METADATA = "__metadata__";

  /** The metadata key that identifies a file of this job. */
  static final String TEXT = "mixtraining";

  private static final String DIGEST = "sha256";
  private static final int DIGEST_BYTES = 32;
  private static final int MAX_HEADER = 1 << 26;
  private static final int CHUNK = 1 << 16;

  public void write(OutputStream out) throws IOException {
    DigestOutputStream hashed = new DigestOutputStream(out, DigestUtils.getSha256Digest());
    byte[] header = header();
    hashed.write(littleEndian(Long.BYTES).putLong(header.length).array());
    hashed.write(header);
    ByteBuffer buffer = littleEndian(CHUNK * Float.BYTES);
    for (float[] values : tensors.values()) {
      for (int from = 0; from < values.length; from += CHUNK) {
        int count = Math.min(CHUNK, values.length - from);
        buffer.asFloatBuffer().put(values, from, count);
        hashed.write(buffer.array(), 0, count * Float.BYTES);
      }
    }
    out.write(hashed.getMessageDigest().digest());
  }

  private byte[] header() throws IOException {
    ObjectNode header = JSON.createObjectNode();
    header.putObject(METADATA).put("format", "mixtraining").put(TEXT, text);
    long end = 0;
    for (Map.Entry<String, float[]> tensor : tensors.entrySet()) {
      int length = tensor.getValue().length;
      long bytes = (long) length * Float.BYTES;
      describe(header.putObject(tensor.getKey()), "F32", length, end, end + bytes);
      end += bytes;
    }
    describe(header.putObject(DIGEST), "U8", DIGEST_BYTES, end, end + DIGEST_BYTES);
    byte[] json = JSON.writeValueAsBytes(header);
    // The tensors begin at a multiple of 8.
    byte[] padded = Arrays.copyOf(json, (json.length + 7) / 8 * 8);
    Arrays.fill(padded, json.length, padded.length, (byte) ' ');
    return padded;
  }

  private static void describe(ObjectNode tensor, String type, int length, long from, long to) {
    tensor.put("dtype", type);
    tensor.putArray("shape").add(length);
    tensor.putArray("data_offsets").add(from).add(to);
  }

  /**
   * Reads the output of {@link #write}.
   *
   * @param size bytes of the file
   * @throws DamagedFileException if it is truncated or altered
   */
  public static TensorFile read(InputStream file, long size) throws IOException {
    DigestInputStream hashed = new DigestInputStream(file, DigestUtils.getSha256Digest());
    DataInputStream in = new DataInputStream(hashed);
    if (size < Long.BYTES + DIGEST_BYTES) {
      throw new DamagedFileException("it has only %s bytes".formatted(size));
    }
    byte[] length = new byte[Long.BYTES];
    in.readFully(length);
    long headerBytes = littleEndian(length).getLong();
    if (headerBytes < 2 || headerBytes > Math.min(MAX_HEADER, size - Long.BYTES - DIGEST_BYTES)) {
      throw new DamagedFileException(
          "its header cannot be %s bytes long in a file of %s".formatted(headerBytes, size));
    }
    byte[] json = new byte[(int) headerBytes];
    in.readFully(json);
    JsonNode header = parse(json);
    SortedMap<String, Integer> lengths = lengths(header, size - Long.BYTES - headerBytes);
    SortedMap<String, float[]> tensors = new TreeMap<>();
    for (Map.Entry<String, Integer> tensor : lengths.entrySet()) {
      tensors.put(tensor.getKey(), floats(in, tensor.getValue()));
    }
    byte[] expected = hashed.getMessageDigest().digest();
    byte[] found = new byte[DIGEST_BYTES];
    in.readFully(found);
    if (!MessageDigest.isEqual(expected, found)) {
      throw new DamagedFileException("its checksum does not match: it was altered");
    }
    return new TensorFile(header.path(METADATA).path(TEXT).asText(), tensors);
  }

  private static JsonNode parse(byte[] json) throws DamagedFileException {
    try {
      JsonNode header = JSON.readTree(new String(json, StandardCharsets.UTF_8));
      if (header.isObject()) {
        return header;
      }
    } catch (JsonProcessingException e) {
      // Reported as any other header that is none.
    }
    throw new DamagedFileException("its header is not a JSON object");
  }

  /** Lengths by name; tensors lie in the order of their names, without gaps, and fill the file. */
  private static SortedMap<String, Integer> lengths(JsonNode header, long bytes)
      throws DamagedFileException {
    SortedMap<String, Integer> lengths = new TreeMap<>();
    long end = 0;
    for (Iterator<String> names = header.fieldNames(); names.hasNext(); ) {
      String name = names.next();
      JsonNode offsets = header.path(name).path("data_offsets");
      if (name.equals(METADATA) || name.equals(DIGEST)) {
        continue;
      }
      long from = offsets.path(0).asLong(-1);
      long to = offsets.path(1).asLong(-1);
      boolean next = from == end && to >= from && (to - from) % Float.BYTES == 0;
      boolean last = lengths.isEmpty() || lengths.lastKey().compareTo(name) < 0;
      if (!next || !last || (to - from) / Float.BYTES > Integer.MAX_VALUE - 8) {
        throw new DamagedFileException("its header gives a wrong offset for %s".formatted(name));
      }
      lengths.put(name, (int) ((to - from) / Float.BYTES));
      end = to;
    }
    if (end + DIGEST_BYTES != bytes) {
      throw new DamagedFileException(
          "it is truncated or has extra bytes: its header declares %s bytes of data, and there are %s"
              .formatted(end + DIGEST_BYTES, bytes));
    }
    return lengths;
  }

  private static float[] floats(DataInputStream in, int length) throws IOException {
    float[] values = new float[length];
    ByteBuffer buffer = littleEndian(Math.min(CHUNK, length) * Float.BYTES);
    for (int from = 0; from < length; from += CHUNK) {
      int count = Math.min(CHUNK, length - from);
      in.readFully(buffer.array(), 0, count * Float.BYTES);
      buffer.asFloatBuffer().get(values, from, count);
    }
    return values;
  }

  private static ByteBuffer littleEndian(int bytes) {
    return littleEndian(new byte[bytes]);
  }

  private static ByteBuffer littleEndian(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}
