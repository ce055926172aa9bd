package org.mixtraining.train;

import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.mixtraining.config.DataConfig;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.ModelConfig.Pooling;
import org.mixtraining.config.OptimizerConfig;
import org.mixtraining.data.Normalization;
import org.mixtraining.formats.ModelCard;
import org.mixtraining.formats.TrainedModel;
import org.mixtraining.schedule.EncoderInput;
import org.mixtraining.schedule.Objective;
import org.mixtraining.vit.Perturbed;
import org.mixtraining.vit.Replica;
import org.mixtraining.vit.ViTFixtures;
import org.mixtraining.vit.ViTGraph;

/** Small models that look as if they were trained. */
public final class Models {

  private static final int SIZE = 12;

  private Models() {}

  /** A task with coloured images of 12 pixels, or grey ones. */
  public static ModelCard.Task task(String name, int classes, double... mean) {
    List<Double> means = IntStream.range(0, mean.length).mapToObj(c -> mean[c]).toList();
    List<Double> stds = IntStream.range(0, mean.length).mapToObj(c -> 0.2 + 0.05 * c).toList();
    List<String> names = IntStream.range(0, classes).mapToObj(c -> name + " " + c).toList();
    return new ModelCard.Task(name, SIZE, new Normalization(means, stds), names, 1.0);
  }

  /** The usual single task. */
  public static ModelCard.Task main() {
    return task(DataConfig.MAIN_TASK, 5, 0.5, 0.4, 0.3);
  }

  /** A model for coloured images, its parameters random and none at a special value. */
  public static TrainedModel model(Pooling pooling, ModelCard.Task... tasks) {
    int classes = tasks[0].classes().size();
    var vit = ViTFixtures.vit(SIZE, 3, 3, 12, 2, 3, 20, 1, 2, classes, pooling, 0.75, true);
    var card = new ModelCard(vit, List.of(tasks));
    OptimizerConfig optimizer = JobConfig.load(Optional.empty(), List.of()).optimizer();
    try (var replica =
        new Replica(
            ViTGraph.configuration(
                vit, card.heads(), Objective.JOINT, EncoderInput.VISIBLE, optimizer, 11))) {
      return new TrainedModel(card, Perturbed.state(replica.state(), 0.2, 3, 17).withoutMoments());
    }
  }

  /** Images of the task's shape. */
  public static List<byte[]> images(ModelCard.Task task, int count) {
    var random = new SplittableRandom(3);
    return IntStream.range(0, count)
        .mapToObj(
            i -> {
              var pixels = new byte[task.channels() * task.imageSize() * task.imageSize()];
              random.nextBytes(pixels);
              return pixels;
            })
        .toList();
  }
}
