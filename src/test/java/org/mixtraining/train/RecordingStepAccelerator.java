package org.mixtraining.train;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.mixtraining.kernels.Device;
import org.mixtraining.kernels.Engine;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.schedule.Objective;
import org.mixtraining.vit.Batch;
import org.mixtraining.vit.GraphSpec;
import org.mixtraining.vit.Replica;
import org.mixtraining.vit.StepResult;

/**
 * Stands in for a library that takes whole steps on GPUs: the graph takes them, of images that it
 * normalises and masks, and does nothing else to. It notes what it was to predict on in a file of
 * the directory that the system property {@code mixtraining.double} names.
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
    return new PreparingSteps(replica);
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

  /** Steps on images that come as they are stored. */
  static final class PreparingSteps implements StepExecutor {
    private final GraphSteps steps;
    private final GraphSpec spec;
    private EpochPlan plan;

    PreparingSteps(Replica replica) {
      this.steps = new GraphSteps(replica);
      this.spec = replica.spec();
    }

    @Override
    public void begin(EpochPlan plan, int steps) {
      this.plan = plan;
      this.steps.begin(plan, steps);
    }

    @Override
    public List<StepResult> take(TrainingBatch minibatch) {
      TrainingBatch.Raw raw = (TrainingBatch.Raw) minibatch;
      float[] mask =
          spec.masks()
              ? Batch.masks(
                  spec.vit().masking(raw.maskRatio()), raw.ids(), raw.seed(), plan.epoch())
              : new float[0];
      return steps.take(
          new TrainingBatch.Prepared(
              raw.position(),
              raw.head(),
              raw.ids(),
              raw.targets(),
              raw.imageSize(),
              raw.maskRatio(),
              pixels(raw.own()),
              mask,
              spec.objective() != Objective.SL));
    }

    private static float[] pixels(TrainingBatch.Raw.Picked images) {
      if (images.ops().length > 0) {
        throw new IllegalStateException("the double can only normalise images");
      }
      byte[] image = new byte[images.set().imageBytes()];
      float[] pixels = new float[images.indices().length * image.length];
      int area = images.set().height() * images.set().width();
      for (int i = 0; i < pixels.length; i++) {
        int at = i % image.length;
        if (at == 0) {
          images.set().read(images.indices()[i / image.length], image);
        }
        pixels[i] = images.tables()[at / area * 256 + (image[at] & 0xFF)];
      }
      return pixels;
    }

    @Override
    public List<StepResult> end() {
      return steps.end();
    }

    @Override
    public void close() {
      steps.close();
    }
  }
}
