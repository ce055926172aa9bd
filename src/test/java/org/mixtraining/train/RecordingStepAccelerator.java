package org.mixtraining.train;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.mixtraining.kernels.Device;
import org.mixtraining.kernels.Engine;
import org.mixtraining.vit.Replica;

/**
 * Stands in for a library that takes whole steps on GPUs: the graph takes them, of images that were
 * prepared on the CPU. It notes what it was to predict on in a file of the directory that the
 * system property {@code mixtraining.double} names.
 */
public final class RecordingStepAccelerator implements StepAccelerator {

  @Override
  public String name() {
    return "double";
  }

  @Override
  public void bind(String address) {
    // Every thread may compute on any core.
  }

  @Override
  public Engine engine() {
    return Engine.cpu(1);
  }

  @Override
  public StepExecutor executor(Replica replica, Device device) {
    return new GraphSteps(replica);
  }

  @Override
  public Predictor predictor(Replica replica, Device device) {
    Path file = Path.of(System.getProperty("mixtraining.double"), "predictors");
    String line = "%s %s%n".formatted(device.name(), ((Device.Gpu) device).precision());
    try {
      Files.writeString(file, line, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new GraphPredictor(replica);
  }
}
