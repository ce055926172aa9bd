package org.mixtraining.data;

import java.nio.file.Path;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.mixtraining.config.UserException;
import org.mixtraining.data.ContactSheet.Cell;
import org.mixtraining.data.ContactSheet.Column;
import org.mixtraining.data.ContactSheet.Group;

/**
 * A picture of some test images, of what a masked autoencoder sees of each, and of how it completes
 * that.
 */
public final class ReconstructionSheet {
  private final PngFile file;
  private final ImageSet images;
  private final DatasetManifest manifest;

  /**
   * @param option the command's option that names the file
   * @param file the PNG to write
   * @param path directory of the dataset's shards
   * @throws UserException if the file's directory does not exist, or there are no test images
   */
  public ReconstructionSheet(
      String option, Path file, Configuration hadoop, String path, DatasetManifest manifest) {
    this.file = new PngFile(option, file);
    if (manifest.images(Split.TEST) == 0) {
      throw new UserException(
          "%s %s: the dataset at %s has no test images".formatted(option, file, path));
    }
    this.images = Preview.choice(hadoop, path, manifest, Split.TEST);
    this.manifest = manifest;
  }

  /** The images shown. */
  public Minibatch images() {
    return Minibatches.evaluation(images, manifest.normalization(), images.size()).next();
  }

  /**
   * Writes the picture.
   *
   * @param model what made the reconstructions
   * @param norms how hidden patches got their brightness and contrast
   * @param seen the {@link #images}, [images, channels, height, width] and normalised, with hidden
   *     patches blank; images of one channel may have become coloured
   * @param completed the same with what was made of the hidden patches
   */
  public void write(String model, String norms, float[] seen, float[] completed) {
    int area = images.height() * images.width();
    int channels = seen.length / images.size() / area;
    file.write(
        new ContactSheet(
            "Reconstructions",
            model,
            channels,
            images.height(),
            images.width(),
            List.of(
                group(
                    "original",
                    "%d of %d test images".formatted(images.size(), manifest.images(Split.TEST)),
                    i -> original(i, channels)),
                group("visible", "", i -> pixels(seen, i, channels, area)),
                group("completed", norms, i -> pixels(completed, i, channels, area)))));
  }

  private byte[] pixels(float[] values, int i, int channels, int area) {
    return Preview.pixels(values, i, channels, area, manifest.normalization());
  }

  /** In as many channels as the model sees. */
  private byte[] original(int i, int channels) {
    byte[] own = Preview.pixels(images, i);
    byte[] shown = new byte[own.length / images.channels() * channels];
    for (int at = 0; at < shown.length; at += own.length) {
      System.arraycopy(own, 0, shown, at, own.length);
    }
    return shown;
  }

  private Group group(String name, String detail, IntFunction<byte[]> pixels) {
    boolean named = name.equals("original");
    List<Cell> cells =
        IntStream.range(0, images.size())
            .mapToObj(
                i ->
                    new Cell(
                        pixels.apply(i),
                        named ? List.of(manifest.classes().get(images.label(i))) : List.of()))
            .toList();
    return new Group(name, detail, List.of(new Column("", cells)));
  }
}
