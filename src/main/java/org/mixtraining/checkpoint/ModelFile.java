package org.mixtraining.checkpoint;

import org.mixtraining.config.Location;
import java.io.ByteArrayInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.HexFormat;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.mixtraining.config.UserException;
import org.mixtraining.results.WholeFile;
import org.mixtraining.train.ModelCard;
import org.mixtraining.train.TrainedModel;
import org.mixtraining.vit.Donor;
import org.mixtraining.vit.TimmDonor;
import org.mixtraining.vit.TrainedDonor;

/**
 * A file that holds a model, told by its content: a checkpoint or a kept model of a run, a zip that
 * was exported, or weights of another program.
 *
 * @param named what named the file and its path, for messages: {@code --model first.zip}
 */
public record ModelFile(String named, byte[] content) {

  /** Key of a model's card in a checkpoint's provenance. */
  public static final String CARD = "model.card";

  /**
   * Takes a file into memory.
   *
   * @param option what names the file, such as {@code --model}
   * @throws UserException if it cannot be read
   */
  public static ModelFile open(Configuration hadoop, String option, String file) {
    String named = option + " " + file;
    try {
      Path path = Location.path(file);
      try (var in = WholeFile.fileSystem(path, hadoop).open(path)) {
        return new ModelFile(named, in.readAllBytes());
      }
    } catch (FileNotFoundException e) {
      throw new UserException("%s: there is no such file".formatted(named));
    } catch (IOException | IllegalArgumentException e) { // the latter: no path at all
      throw new UserException("%s: cannot be read: %s".formatted(named, e.getMessage()));
    }
  }

  /**
   * The model, to predict with.
   *
   * @throws UserException if it is damaged, or not one that this job trained
   */
  public TrainedModel model() {
    try {
      if (isZip()) {
        return TrainedModel.ofZip(content);
      }
      return model(Checkpoint.read(new ByteArrayInputStream(content), content.length));
    } catch (IOException | IllegalArgumentException e) {
      throw new UserException("%s: cannot be used: %s".formatted(named, e.getMessage()));
    }
  }

  private static TrainedModel model(Checkpoint checkpoint) throws IOException {
    String card = checkpoint.provenance().get(CARD);
    if (card == null) {
      throw new IOException(
          "an older version of this job wrote it, without class names and normalisation; train the run anew");
    }
    return new TrainedModel(ModelCard.parse(card), checkpoint.state().model().withoutMoments());
  }

  /**
   * The model, to begin another run from.
   *
   * @throws UserException if it is damaged, or nothing that a run can begin from
   */
  public Donor donor() {
    if (!isZip() && ForeignTensors.isSafetensors(content)) {
      try {
        ForeignTensors tensors = ForeignTensors.read(content);
        if (TimmDonor.recognizes(tensors.tensors().keySet())) {
          return TimmDonor.of(named, tensors.tensors());
        }
      } catch (DamagedFileException e) {
        throw new UserException("%s: cannot be used: %s".formatted(named, e.getMessage()));
      }
    }
    TrainedModel model = model();
    return new TrainedDonor(named, model.card().vit(), model.card().heads(), model.state());
  }

  /** SHA-256 of the file, hexadecimal. */
  public String sha256() {
    return HexFormat.of().formatHex(TensorFile.sha256().digest(content));
  }

  private boolean isZip() {
    return content.length > 1 && content[0] == 'P' && content[1] == 'K';
  }
}
