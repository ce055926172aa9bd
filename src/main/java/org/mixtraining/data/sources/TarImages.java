package org.mixtraining.data.sources;

import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.stream.Stream;
import org.apache.commons.lang3.function.Failable;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.Path;
import org.mixtraining.config.Location;
import org.mixtraining.data.Split;
import org.mixtraining.data.images.ImageDecoder;
import org.mixtraining.data.images.RawImage;

/**
 * JPEG and PNG files in a tar file, each read at its place.
 *
 * @param path of the tar file
 * @param file its path below the source
 */
record TarImages(
    Split split, String path, String file, List<Labelled> samples, ImageDecoder decoder)
    implements Piece {
  /**
   * A sample and its class.
   *
   * @param label class index, or {@link RawImage#UNLABELLED}
   * @param problem as {@link TarSample} has it
   */
  record Labelled(String key, int label, TarSample.Place image, String problem)
      implements Serializable {}

  /** Cuts the samples of a tar file into pieces. */
  static List<Piece> cut(
      Split split, Path path, String file, List<Labelled> samples, ImageDecoder decoder) {
    return Piece.cut(samples, sample -> sample.image() == null ? 0 : sample.image().bytes())
        .stream()
        .<Piece>map(own -> new TarImages(split, path.toString(), file, own, decoder))
        .toList();
  }

  @Override
  public int images() {
    return samples.size();
  }

  @Override
  public Stream<RawImage> read(Configuration hadoop) throws IOException {
    var place = new Path(path);
    var in = Location.fileSystem(place, hadoop).open(place);
    return samples.stream().map(sample -> image(sample, in)).onClose(() -> Failable.run(in::close));
  }

  private RawImage image(Labelled sample, FSDataInputStream in) {
    var source = file + ": " + sample.key();
    if (sample.problem() != null) {
      return new RawImage.Unusable(source, sample.label(), sample.problem());
    } else if (sample.image().bytes() > ImageFiles.LONGEST_FILE) {
      return new RawImage.Unusable(
          source,
          sample.label(),
          "has %s bytes, more than %s".formatted(sample.image().bytes(), ImageFiles.LONGEST_FILE));
    }
    try {
      var bytes = new byte[(int) sample.image().bytes()];
      in.readFully(sample.image().offset(), bytes);
      return decoder.image(source, sample.label(), bytes);
    } catch (IOException e) { // not the file's fault: Spark retries the task
      throw new UncheckedIOException(e);
    }
  }
}
