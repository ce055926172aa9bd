package org.mixtraining.vit;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.Externalizable;
import java.io.IOException;
import java.io.ObjectInput;
import java.io.ObjectOutput;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The truth between epochs: named blocks of parameters with their AdamW moments and step counts.
 * The encoder and the decoder are one block each, every head is one.
 *
 * <p>Immutable by convention: whoever changes an array owns a copy. It is data, not objects: its
 * stream format ({@link #write}) is plain names, counts and little-endian floats.
 */
public final class ModelState implements Externalizable {
  private static final long serialVersionUID = 1L;

  /** The block of patch embedding, encoder blocks and encoder norm. */
  public static final String ENCODER = "encoder";

  /** The block of the masked autoencoder's decoder. */
  public static final String DECODER = "decoder";

  /** The block of the only head of a single-task model. */
  public static final String HEAD = ViTGraph.HEAD;

  private static final int SLICE = 1 << 16;

  private final SortedMap<String, Block> blocks;

  /** For deserialization. */
  public ModelState() {
    this.blocks = new TreeMap<>();
  }

  public ModelState(Map<String, Block> blocks) {
    this.blocks = new TreeMap<>(blocks);
  }

  /**
   * One block.
   *
   * @param parameters [n] layer by layer, each layer's weight matrices before its vectors
   * @param m [n] AdamW's first moments
   * @param v [n] AdamW's second moments
   * @param steps optimizer steps taken
   */
  public record Block(float[] parameters, float[] m, float[] v, long steps) {

    @Override
    public boolean equals(Object other) {
      return other instanceof Block that
          && steps == that.steps
          && Arrays.equals(parameters, that.parameters)
          && Arrays.equals(m, that.m)
          && Arrays.equals(v, that.v);
    }

    @Override
    public int hashCode() {
      return Arrays.hashCode(parameters);
    }

    @Override
    public String toString() {
      return parameters.length + " parameters, " + steps + " steps";
    }
  }

  public SortedMap<String, Block> blocks() {
    return java.util.Collections.unmodifiableSortedMap(blocks);
  }

  /**
   * @throws IllegalArgumentException if there is none of that name
   */
  public Block block(String name) {
    Block block = blocks.get(name);
    if (block == null) {
      throw new IllegalArgumentException("no block " + name + " in " + blocks.keySet());
    }
    return block;
  }

  /** This state with the other's blocks in place of its own of the same names. */
  public ModelState with(ModelState other) {
    SortedMap<String, Block> merged = new TreeMap<>(blocks);
    merged.putAll(other.blocks);
    return new ModelState(merged);
  }

  /** The blocks of the given names only. */
  public ModelState only(Iterable<String> names) {
    SortedMap<String, Block> kept = new TreeMap<>();
    names.forEach(name -> kept.put(name, block(name)));
    return new ModelState(kept);
  }

  /** Number of parameters. */
  public long parameters() {
    return blocks.values().stream().mapToLong(b -> b.parameters().length).sum();
  }

  /** Bytes of the parameters and moments. */
  public long bytes() {
    return 3 * 4 * parameters();
  }

  /** SHA-256 over names and parameters (not moments), in hexadecimal: the identity of a model. */
  public String sha256() {
    MessageDigest digest;
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
    blocks.forEach(
        (name, block) -> {
          digest.update(name.getBytes(java.nio.charset.StandardCharsets.UTF_8));
          ByteBuffer buffer = buffer();
          float[] values = block.parameters();
          for (int from = 0; from < values.length; from += SLICE) {
            digest.update(fill(buffer, values, from));
          }
        });
    return HexFormat.of().formatHex(digest.digest());
  }

  // --- stream format ---------------------------------------------------------------------------

  /** Writes the state: block count, then name, steps, size, parameters, m and v of each block. */
  public void write(DataOutput out) throws IOException {
    out.writeInt(blocks.size());
    for (var entry : blocks.entrySet()) {
      Block block = entry.getValue();
      out.writeUTF(entry.getKey());
      out.writeLong(block.steps());
      out.writeInt(block.parameters().length);
      writeFloats(out, block.parameters());
      writeFloats(out, block.m());
      writeFloats(out, block.v());
    }
  }

  /** Reads what {@link #write} wrote. */
  public static ModelState read(DataInput in) throws IOException {
    SortedMap<String, Block> blocks = new TreeMap<>();
    int count = in.readInt();
    for (int i = 0; i < count; i++) {
      String name = in.readUTF();
      long steps = in.readLong();
      int size = in.readInt();
      float[] parameters = readFloats(in, size);
      float[] m = readFloats(in, size);
      float[] v = readFloats(in, size);
      blocks.put(name, new Block(parameters, m, v, steps));
    }
    return new ModelState(blocks);
  }

  @Override
  public void writeExternal(ObjectOutput out) throws IOException {
    write(out);
  }

  @Override
  public void readExternal(ObjectInput in) throws IOException {
    blocks.putAll(read(in).blocks);
  }

  private static ByteBuffer buffer() {
    return ByteBuffer.allocate(4 * SLICE).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static ByteBuffer fill(ByteBuffer buffer, float[] values, int from) {
    int size = Math.min(SLICE, values.length - from);
    buffer.clear();
    buffer.asFloatBuffer().put(values, from, size);
    return buffer.limit(4 * size);
  }

  private static void writeFloats(DataOutput out, float[] values) throws IOException {
    ByteBuffer buffer = buffer();
    for (int from = 0; from < values.length; from += SLICE) {
      out.write(buffer.array(), 0, fill(buffer, values, from).limit());
    }
  }

  private static float[] readFloats(DataInput in, int size) throws IOException {
    float[] values = new float[size];
    ByteBuffer buffer = buffer();
    for (int from = 0; from < size; from += SLICE) {
      int count = Math.min(SLICE, size - from);
      in.readFully(buffer.array(), 0, 4 * count);
      buffer.clear();
      buffer.asFloatBuffer().get(values, from, count);
    }
    return values;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof ModelState that && blocks.equals(that.blocks);
  }

  @Override
  public int hashCode() {
    return blocks.hashCode();
  }

  @Override
  public String toString() {
    return blocks.toString();
  }
}
