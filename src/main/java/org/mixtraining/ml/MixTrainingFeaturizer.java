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
 * A trained encoder that turns images into vectors, for another classifier to learn from: what its
 * own heads are given, as wide as the model's tokens. It adds {@code features}, and {@code error},
 * why an image cannot be used.
 */
public final class MixTrainingFeaturizer extends ImageModel<MixTrainingFeaturizer> {
  private static final long serialVersionUID = 1L;

  MixTrainingFeaturizer(String uid, TrainedModel model) {
    super(uid, model);
    declare(ImageParams.ofFeatures(this));
  }

  /**
   * The encoder in a file that a run or the command {@code export} wrote, whether its heads are
   * trained or not.
   *
   * @throws org.mixtraining.config.UserException if there is none
   */
  public static MixTrainingFeaturizer of(Configuration hadoop, String file) {
    return new MixTrainingFeaturizer(
        Identifiable$.MODULE$.randomUID("mixtraining-featurizer"),
        ModelFile.open(hadoop, "model", file).model());
  }

  @Override
  MixTrainingFeaturizer again(String id, TrainedModel same) {
    return new MixTrainingFeaturizer(id, same);
  }

  /** Names the column of images. */
  public MixTrainingFeaturizer setInputCol(String name) {
    return setting("inputCol", name);
  }

  /** Names the column of features, a vector. */
  public MixTrainingFeaturizer setOutputCol(String name) {
    return setting("outputCol", name);
  }

  @Override
  Answers answers() {
    return MixTrainingFeaturizer::answers;
  }

  private static List<Object[]> answers(Classifier classifier, List<byte[]> images) {
    return Stream.of(classifier.features(images)).map(MixTrainingFeaturizer::answer).toList();
  }

  private static Object[] answer(float[] features) {
    double[] exact = new double[features.length];
    Arrays.setAll(exact, i -> features[i]);
    return new Object[] {Vectors.dense(exact)};
  }

  /** Reads what {@link #write} wrote. */
  public static MLReader<MixTrainingFeaturizer> read() {
    return new SavedModel.Reader<>(MixTrainingFeaturizer.class, MixTrainingFeaturizer::new);
  }

  /** The encoder in a directory that it was saved to. */
  public static MixTrainingFeaturizer load(String directory) {
    return read().load(directory);
  }
}
