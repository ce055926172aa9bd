package org.mixtraining.ml;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.ml.linalg.Vectors;
import org.apache.spark.ml.util.Identifiable$;
import org.apache.spark.ml.util.MLReader;
import org.mixtraining.checkpoint.ModelFile;
import org.mixtraining.formats.TrainedModel;
import org.mixtraining.train.Classifier;

/**
 * A trained model that classifies a column of images. It adds {@code prediction}, the index of the
 * most probable class as a double, {@code probability} and {@code rawPrediction}, the
 * probabilities' logarithms, which are the logits but for a constant of each image, and {@code
 * error}, why an image cannot be used.
 */
public final class MixTrainingClassificationModel extends ImageModel<MixTrainingClassificationModel>
    implements ImageStage.OfClasses<MixTrainingClassificationModel> {
  private static final long serialVersionUID = 1L;

  MixTrainingClassificationModel(String uid, TrainedModel model) {
    super(uid, model);
    declare(ImageParams.ofClasses(this));
  }

  /**
   * The model in a file that a run or the command {@code export} wrote.
   *
   * @throws org.mixtraining.config.UserException if there is none, or its head is untrained
   */
  public static MixTrainingClassificationModel of(Configuration hadoop, String file) {
    TrainedModel model = ModelFile.open(hadoop, "model", file).model();
    model.checkHeads("model " + file);
    return new MixTrainingClassificationModel(
        Identifiable$.MODULE$.randomUID("mixtraining"), model);
  }

  @Override
  MixTrainingClassificationModel again(String id, TrainedModel same) {
    return new MixTrainingClassificationModel(id, same);
  }

  /** Names of the classes by index. */
  public List<String> classes() {
    return task().classes();
  }

  /** Number of classes. */
  public int numClasses() {
    return classes().size();
  }

  /** The encoder alone, for another classifier to learn from. */
  public MixTrainingFeaturizer featurizer() {
    return new MixTrainingFeaturizer(
        Identifiable$.MODULE$.randomUID("mixtraining-featurizer"), model());
  }

  @Override
  Answers answers() {
    return MixTrainingClassificationModel::answers;
  }

  private static List<Object[]> answers(Classifier classifier, List<byte[]> images) {
    return Stream.of(classifier.probabilities(images))
        .map(MixTrainingClassificationModel::answer)
        .toList();
  }

  private static Object[] answer(float[] probabilities) {
    double[] exact = new double[probabilities.length];
    Arrays.setAll(exact, c -> probabilities[c]);
    double[] raw = new double[exact.length];
    Arrays.setAll(raw, c -> Math.log(Math.max(Float.MIN_VALUE, exact[c])));
    return new Object[] {
      Vectors.dense(raw), Vectors.dense(exact), (double) Classifier.mostProbable(probabilities)
    };
  }

  /** Reads what {@link #write} wrote. */
  public static MLReader<MixTrainingClassificationModel> read() {
    return new SavedModel.Reader<>(
        MixTrainingClassificationModel.class, MixTrainingClassificationModel::new);
  }

  /** The model in a directory that it was saved to. */
  public static MixTrainingClassificationModel load(String directory) {
    return read().load(directory);
  }
}
