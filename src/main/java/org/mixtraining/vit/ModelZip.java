package org.mixtraining.vit;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import java.util.zip.ZipOutputStream;
import org.deeplearning4j.util.ModelSerializer;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.JobConfig.MixPass;
import org.mixtraining.schedule.Objective;

/**
 * Encoder and heads as a zip of Deeplearning4j's ModelSerializer, which {@code
 * ModelSerializer.restoreComputationGraph} reads where this job's jar is on the classpath. One more
 * entry, {@value #CARD}, says what the model takes and what its outputs mean.
 *
 * @param card the text of that entry
 * @param state the parameters, without moments
 */
public record ModelZip(String card, ModelState state) {

  static final String CARD = "mixtraining.json";

  /** Writes a zip of the model's encoder and these heads. */
  public void write(ViT vit, List<Head> heads, JobConfig.Optimizer optimizer, OutputStream out)
      throws IOException {
    ByteArrayOutputStream model = new ByteArrayOutputStream();
    try (Replica replica =
        new Replica(
            ViTGraph.configuration(vit, heads, Objective.SL, MixPass.VISIBLE, optimizer, 0))) {
      replica.loadParameters(state);
      ModelSerializer.writeModel(replica.graph(), model, false);
    }
    ZipOutputStream zip = new ZipOutputStream(out, StandardCharsets.UTF_8);
    try (ZipInputStream entries = entries(model.toByteArray())) {
      for (ZipEntry entry = entries.getNextEntry(); entry != null; entry = entries.getNextEntry()) {
        zip.putNextEntry(new ZipEntry(entry.getName()));
        entries.transferTo(zip);
      }
    }
    zip.putNextEntry(new ZipEntry(CARD));
    zip.write(card.getBytes(StandardCharsets.UTF_8));
    zip.finish();
  }

  /**
   * Reads what {@link #write} wrote.
   *
   * @throws IOException if it is something else, or damaged
   */
  public static ModelZip read(byte[] file) throws IOException {
    String card = card(file);
    try (Replica replica =
        new Replica(
            ModelSerializer.restoreComputationGraph(new ByteArrayInputStream(file), false))) {
      return new ModelZip(card, replica.parameters());
    } catch (RuntimeException e) { // of all kinds, where an entry is missing or damaged
      throw new IOException("it is no model of Deeplearning4j, or damaged: " + e.getMessage(), e);
    }
  }

  private static String card(byte[] file) throws IOException {
    try (ZipInputStream entries = entries(file)) {
      for (ZipEntry entry = entries.getNextEntry(); entry != null; entry = entries.getNextEntry()) {
        if (entry.getName().equals(CARD)) {
          return new String(entries.readAllBytes(), StandardCharsets.UTF_8);
        }
      }
    }
    throw new IOException("it is a zip without %s, so none that export wrote".formatted(CARD));
  }

  private static ZipInputStream entries(byte[] file) {
    return new ZipInputStream(new ByteArrayInputStream(file), StandardCharsets.UTF_8);
  }
}
