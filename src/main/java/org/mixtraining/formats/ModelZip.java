package org.mixtraining.formats;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import java.util.zip.ZipOutputStream;
import org.deeplearning4j.util.ModelSerializer;
import org.mixtraining.config.OptimizerConfig;
import org.mixtraining.kernels.Matrix;
import org.mixtraining.schedule.EncoderInput;
import org.mixtraining.schedule.Objective;
import org.mixtraining.vit.Head;
import org.mixtraining.vit.Replica;
import org.mixtraining.vit.ViT;
import org.mixtraining.vit.ViTGraph;
import org.mixtraining.vit.state.ModelState;
import org.nd4j.common.primitives.Triple;
import org.nd4j.linalg.api.buffer.BaseDataBuffer;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Encoder and heads as a zip of Deeplearning4j's ModelSerializer, which {@code
 * ModelSerializer.restoreComputationGraph} reads where this job's jar is on the classpath. One more
 * entry, {@value #CARD}, describes the model's input and outputs.
 *
 * <p>This job itself reads such a file as data: the card and the floats, and no object that the
 * file describes.
 */
public record ModelZip(Map<String, byte[]> entries) {
  private static final String CARD = "mixtraining.json";

  /**
   * The zip of a model's encoder and heads.
   *
   * @param card what {@link #card} will return
   */
  public static byte[] of(
      String card, ViT vit, List<Head> heads, ModelState state, OptimizerConfig optimizer)
      throws IOException {
    ByteArrayOutputStream model = new ByteArrayOutputStream();
    try (Replica replica = replica(vit, heads, optimizer)) {
      replica.loadParameters(state);
      ModelSerializer.writeModel(replica.graph(), model, false);
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(out, StandardCharsets.UTF_8)) {
      for (var entry : entries(model.toByteArray()).entrySet()) {
        zip.putNextEntry(new ZipEntry(entry.getKey()));
        zip.write(entry.getValue());
      }
      zip.putNextEntry(new ZipEntry(CARD));
      zip.write(card.getBytes(StandardCharsets.UTF_8));
    }
    return out.toByteArray();
  }

  private static Replica replica(ViT vit, List<Head> heads, OptimizerConfig optimizer) {
    return new Replica(
        ViTGraph.configuration(vit, heads, Objective.SL, EncoderInput.FULL, optimizer, 0));
  }

  /**
   * Reads the output of {@link #of}.
   *
   * @throws IOException if it is not such a zip, or damaged
   */
  public static ModelZip read(byte[] file) throws IOException {
    ModelZip zip = new ModelZip(entries(file));
    zip.entry(CARD);
    return zip;
  }

  private static Map<String, byte[]> entries(byte[] file) throws IOException {
    Map<String, byte[]> entries = new HashMap<>();
    try (ZipInputStream in =
        new ZipInputStream(new ByteArrayInputStream(file), StandardCharsets.UTF_8)) {
      for (ZipEntry entry = in.getNextEntry(); entry != null; entry = in.getNextEntry()) {
        entries.put(entry.getName(), in.readAllBytes());
      }
    }
    return entries;
  }

  private byte[] entry(String name) throws IOException {
    byte[] entry = entries.get(name);
    if (entry == null) {
      throw new IOException("it is a zip without %s, so not one written by export".formatted(name));
    }
    return entry;
  }

  /** The model's card. */
  public String card() throws IOException {
    return new String(entry(CARD), StandardCharsets.UTF_8);
  }

  /**
   * The parameters of the model that the card describes.
   *
   * @throws IOException if there are not as many as it has
   */
  public ModelState state(ViT vit, List<Head> heads, OptimizerConfig optimizer) throws IOException {
    try (Replica replica = replica(vit, heads, optimizer)) {
      var parameters = replica.graph().params();
      var flat = Matrix.of(parameters.reshape(parameters.length()));
      flat.write(coefficients(flat.cols()), 0);
      return replica.parameters();
    }
  }

  /** The floats of ND4J's format: two arrays with a header each, the first of them the shape. */
  private float[] coefficients(int count) throws IOException {
    DataInputStream in =
        new DataInputStream(new ByteArrayInputStream(entry(ModelSerializer.COEFFICIENTS_BIN)));
    in.skipNBytes(header(in).getMiddle() * Long.BYTES);
    var header = header(in);
    if (header.getRight() != DataType.FLOAT || header.getMiddle() != count) {
      throw new IOException(
          "it has %s parameters of type %s, and the model that it describes has %s of type FLOAT"
              .formatted(header.getMiddle(), header.getRight(), count));
    }
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = in.readFloat();
    }
    return values;
  }

  private static Triple<?, Long, DataType> header(DataInputStream in) throws IOException {
    try {
      return BaseDataBuffer.readHeader(in);
    } catch (RuntimeException e) { // of all kinds, where it is damaged
      throw new IOException("its parameters are damaged: " + e.getMessage(), e);
    }
  }
}
