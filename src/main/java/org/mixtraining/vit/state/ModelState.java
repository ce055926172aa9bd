package org.mixtraining.vit.state;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.Externalizable;
import java.io.IOException;
import java.io.ObjectInput;
import java.io.ObjectOutput;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.commons.codec.digest.DigestUtils;
import org.mixtraining.vit.ViTGraph;

/**
 * The state of a model between epochs: named blocks of parameters with their AdamW moments and step
 * counts. The encoder and the decoder are one block each, every head is one, and the token that a
 * corrupted pass puts at masked positions is one.
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

  /** All blocks by name. */
  public SortedMap<String, Block> blocks() {
    return Collections.unmodifiableSortedMap(blocks);
  }

  /**
   * The block of that name.
   *
   * @throws IllegalArgumentException if there is none
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

  /** The same parameters without moments: what inference needs. */
  public ModelState withoutMoments() {
    SortedMap<String, Block> bare = new TreeMap<>();
    float[] none = {};
    blocks.forEach((name, b) -> bare.put(name, new Block(b.parameters(), none, none, b.steps())));
    return new ModelState(bare);
  }

  /** The same step counts without any values. */
  public ModelState withoutValues() {
    SortedMap<String, Block> bare = new TreeMap<>();
    float[] none = {};
    blocks.forEach((name, b) -> bare.put(name, new Block(none, none, none, b.steps())));
    return new ModelState(bare);
  }

  /** Number of parameters. */
  public long parameters() {
    return blocks.values().stream().mapToLong(b -> b.parameters().length).sum();
  }

  /** Bytes of the parameters and moments. */
  public long bytes() {
    return blocks.values().stream()
        .mapToLong(b -> 4L * (b.parameters().length + b.m().length + b.v().length))
        .sum();
  }

  /** SHA-256 over names and parameters (not moments), in hexadecimal: the identity of a model. */
  public String sha256() {
    MessageDigest digest = DigestUtils.getSha256Digest();
    blocks.forEach(
        (name, block) -> {
          digest.update(name.getBytes(StandardCharsets.UTF_8));
          ByteBuffer buffer = over(new byte[4 * SLICE]);
          float[] values = block.parameters();
          for (int from = 0; from < values.length; from += SLICE) {
            digest.update(fill(buffer, values, from));
          }
        });
    return HexFormat.of().formatHex(digest.digest());
  }

  // --- stream format ---------------------------------------------------------------------------

  /**
   * Writes the state: block count, then name, steps, both sizes, parameters, m and v of each block.
   */
  public void write(DataOutput out) throws IOException {
    out.writeInt(blocks.size());
    for (var entry : blocks.entrySet()) {
      Block block = entry.getValue();
      out.writeUTF(entry.getKey());
      out.writeLong(block.steps());
      out.writeInt(block.parameters().length);
      out.writeInt(block.m().length);
      writeFloats(out, block.parameters());
      writeFloats(out, block.m());
      writeFloats(out, block.v());
    }
  }

  /**
   * Reads what {@link #write} wrote.
   *
   * @throws java.io.EOFException if the stream ends within it
   */
  public static ModelState read(DataInput in) throws IOException {
    SortedMap<String, Block> blocks = new TreeMap<>();
    int count = in.readInt();
    for (int i = 0; i < count; i++) {
      String name = in.readUTF();
      long steps = in.readLong();
      int size = in.readInt();
      int moments = in.readInt();
      float[] parameters = readFloats(in, size);
      float[] m = readFloats(in, moments);
      float[] v = readFloats(in, moments);
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

  private static ByteBuffer over(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static ByteBuffer fill(ByteBuffer buffer, float[] values, int from) {
    int size = Math.min(SLICE, values.length - from);
    buffer.clear();
    buffer.asFloatBuffer().put(values, from, size);
    return buffer.limit(4 * size);
  }

  private static void writeFloats(DataOutput out, float[] values) throws IOException {
    byte[] bytes = new byte[4 * SLICE];
    ByteBuffer buffer = over(bytes);
    for (int from = 0; from < values.length; from += SLICE) {
      out.write(bytes, 0, fill(buffer, values, from).limit());
    }
  }

  private static float[] readFloats(DataInput in, int size) throws IOException {
    float[] values = new float[size];
    byte[] bytes = new byte[4 * SLICE];
    ByteBuffer buffer = over(bytes);
    for (int from = 0; from < size; from += SLICE) {
      int count = Math.min(SLICE, size - from);
      in.readFully(bytes, 0, 4 * count);
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
