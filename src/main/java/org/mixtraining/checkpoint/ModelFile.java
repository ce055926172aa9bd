package org.mixtraining.checkpoint;

import java.io.ByteArrayInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.Optional;
import org.apache.commons.codec.digest.DigestUtils;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.mixtraining.config.Location;
import org.mixtraining.config.UserException;
import org.mixtraining.files.WholeFile;
import org.mixtraining.formats.DamagedFileException;
import org.mixtraining.formats.ForeignTensors;
import org.mixtraining.formats.HuggingFaceConfig;
import org.mixtraining.formats.ModelCard;
import org.mixtraining.formats.ModelFormat;
import org.mixtraining.formats.PretrainedWeights;
import org.mixtraining.formats.TimmWeights;
import org.mixtraining.formats.TrainedModel;
import org.mixtraining.formats.TrainedWeights;

/**
 * A model file, whose format is detected from its content: a checkpoint or saved model of a run, an
 * exported zip, or weights of another program.
 *
 * @param named option and path, for messages: {@code --model first.zip}
 * @param config {@code config.json} of Hugging Face's transformers; empty where there is none
 */
public record ModelFile(String named, byte[] content, byte[] config) {

  /** Key of a model's card in a checkpoint's provenance. */
  public static final String CARD = "model.card";

  private static final String WEIGHTS = "model.safetensors";
  private static final String CONFIG = "config.json";

  /** The largest array of a JVM. */
  private static final int MOST_BYTES = Integer.MAX_VALUE - 8;

  /**
   * Reads a file into memory, or a directory's {@code model.safetensors} with the {@code
   * config.json} beside it.
   *
   * @param option the option that names the file, such as {@code --model}
   * @throws UserException if it cannot be read
   */
  public static ModelFile open(Configuration hadoop, String option, String file) {
    String named = option + " " + file;
    try {
      Path path = Location.path(file);
      FileSystem files = Location.fileSystem(path, hadoop);
      Optional<String> forbidden = Location.forbidden(files, path);
      if (forbidden.isPresent()) {
        throw new UserException("%s: %s".formatted(named, forbidden.get()));
      }
      FileStatus status = files.getFileStatus(path);
      if (status.isDirectory()) {
        return folder(files, path, named);
      }
      return new ModelFile(named, read(files, path, named), new byte[0]);
    } catch (FileNotFoundException e) {
      throw new UserException("%s: no such file".formatted(named));
    } catch (IOException | IllegalArgumentException e) { // the latter: no path at all
      throw new UserException("%s: cannot be read: %s".formatted(named, e.getMessage()));
    }
  }

  private static ModelFile folder(FileSystem files, Path path, String named) throws IOException {
    Path weights = new Path(path, WEIGHTS);
    Path config = new Path(path, CONFIG);
    if (!files.exists(weights)) {
      throw new UserException(
          "%s: is a directory without %s; give the path of a file in it".formatted(named, WEIGHTS));
    }
    return new ModelFile(
        named,
        read(files, weights, named),
        files.exists(config) ? read(files, config, named) : new byte[0]);
  }

  private static byte[] read(FileSystem files, Path path, String named) throws IOException {
    long bytes = files.getFileStatus(path).getLen();
    if (bytes > MOST_BYTES) {
      throw new UserException(
          "%s: has %s bytes, and at most %s are read".formatted(named, bytes, MOST_BYTES));
    }
    return WholeFile.read(files, path);
  }

  /**
   * Reads the model for prediction.
   *
   * @throws UserException if it is damaged, or not one that this job trained
   */
  public TrainedModel model() {
    try {
      return switch (ModelFormat.of(content)) {
        case EXPORT -> TrainedModel.ofZip(content);
        case CHECKPOINT ->
            model(Checkpoint.read(new ByteArrayInputStream(content), content.length));
        case WEIGHTS ->
            throw new IOException(
                "it holds another program's weights, for which there is no classification head; start a run from them with train --init");
      };
    } catch (IOException | IllegalArgumentException e) {
      throw new UserException("%s: cannot be used: %s".formatted(named, e.getMessage()));
    }
  }

  private static TrainedModel model(Checkpoint checkpoint) throws IOException {
    String card = checkpoint.provenance().get(CARD);
    if (card == null) {
      throw new IOException(
          "it was written by an older version, without class names and normalisation; train the run again");
    }
    return new TrainedModel(ModelCard.parse(card), checkpoint.state().model().withoutMoments());
  }

  /**
   * Reads the pretrained weights to initialise another run with.
   *
   * @throws UserException if it is damaged, or no run can be initialised from it
   */
  public PretrainedWeights pretrained() {
    try {
      if (ModelFormat.of(content) == ModelFormat.WEIGHTS) {
        return TimmWeights.of(
            named, ForeignTensors.read(content).tensors(), HuggingFaceConfig.read(config));
      }
    } catch (DamagedFileException e) {
      throw new UserException("%s: cannot be used: %s".formatted(named, e.getMessage()));
    }
    TrainedModel model = model();
    return new TrainedWeights(named, model.card().vit(), model.card().heads(), model.state());
  }

  /** SHA-256 of the file, hexadecimal. */
  public String sha256() {
    return DigestUtils.sha256Hex(content);
  }
}
