package org.mixtraining.data.preview;

import java.nio.file.Path;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.mixtraining.config.UserException;
import org.mixtraining.data.DatasetManifest;
import org.mixtraining.data.Minibatch;
import org.mixtraining.data.Split;
import org.mixtraining.data.preview.ContactSheet.Cell;
import org.mixtraining.data.preview.ContactSheet.Column;
import org.mixtraining.data.preview.ContactSheet.Group;

/**
 * A contact sheet of some test images: original, visible patches and reconstruction by a masked
 * autoencoder.
 */
public final class ReconstructionSheet {
  private final PngFile file;
  private final Completions completions;
  private final long testImages;

  /**
   * @param option the command's option that names the file
   * @param file the PNG to write
   * @param path directory of the dataset's shards
   * @throws UserException if the file's directory does not exist, or there are no test images
   */
  public ReconstructionSheet(
      String option, Path file, Configuration hadoop, String path, DatasetManifest manifest) {
    this.file = new PngFile(option, file);
    try {
      this.completions = new Completions(hadoop, path, manifest);
    } catch (UserException e) {
      throw new UserException("%s %s: %s".formatted(option, file, e.getMessage()));
    }
    this.testImages = manifest.images(Split.TEST);
  }

  /** The images shown. */
  public Minibatch images() {
    return completions.images();
  }

  /**
   * Writes the picture.
   *
   * @param model name of the model
   * @param norms how masked patches got their brightness and contrast
   * @param seen the {@link #images}, [images, channels, height, width] and normalised, with masked
   *     patches blank; images of one channel may have become coloured
   * @param completed the same with the predicted masked patches
   */
  public void write(String model, String norms, float[] seen, float[] completed) {
    int channels = completions.channels(seen);
    file.write(
        new ContactSheet(
            "Reconstructions",
            model,
            channels,
            completions.height(),
            completions.width(),
            List.of(
                group(
                    "original",
                    "%s of %s test images".formatted(completions.size(), testImages),
                    i -> completions.original(i, channels)),
                group("visible", "", i -> completions.pixels(seen, i)),
                group("completed", norms, i -> completions.pixels(completed, i)))));
  }

  private Group group(String name, String detail, IntFunction<byte[]> pixels) {
    boolean named = name.equals("original");
    List<Cell> cells =
        IntStream.range(0, completions.size())
            .mapToObj(
                i -> new Cell(pixels.apply(i), named ? List.of(completions.label(i)) : List.of()))
            .toList();
    return new Group(name, detail, List.of(new Column("", cells)));
  }
}
