package org.mixtraining.data.sources;

import java.io.IOException;
import java.text.Normalizer;
import java.util.List;
import org.apache.spark.sql.SparkSession;
import org.mixtraining.config.DataConfig;
import org.mixtraining.config.UserException;
import org.mixtraining.data.Note;
import org.mixtraining.data.Split;
import org.mixtraining.data.images.RawImage;

/**
 * A source of raw images in some format, cut into pieces. The images are numbered from 0 in the
 * order of the pieces, training images first.
 *
 * @param labelKind which of its labels is trained on: {@code label}, or {@code fine} or {@code
 *     coarse}
 * @param classes class names by class index
 * @param channels of every image: 1 for grey, 3 for red, green, blue
 * @param notes about skipped files
 */
public record Source(
    String labelKind, List<String> classes, int channels, List<Piece> pieces, List<Note> notes) {
  public Source {
    classes = classes.stream().map(Source::className).toList();
    pieces = List.copyOf(pieces);
    notes = List.copyOf(notes);
  }

  /** A class's name in normalised Unicode form: macOS decomposes accented letters. */
  static String className(String name) {
    return Normalizer.normalize(name, Normalizer.Form.NFC);
  }

  /**
   * Opens the source that {@code data.format} names: reads directories and headers, in Spark tasks
   * if they are many; the images are read with the pieces.
   *
   * @throws UserException if the files are not of that format
   */
  public static Source open(DataConfig data, SparkSession spark) {
    try {
      return switch (data.raw().format()) {
        case CIFAR10 -> Cifar.open(Cifar.Layout.CIFAR10, data, spark);
        case CIFAR100 -> Cifar.open(Cifar.Layout.CIFAR100, data, spark);
        case TINYIMAGENET -> TinyImageNet.open(data, spark);
        case FOLDER -> Folder.open(data, spark);
        case IDX -> Idx.open(data, spark);
        case PARQUET -> ParquetImages.open(data, spark);
        case WEBDATASET -> WebDataset.open(data, spark);
        case IMAGENET -> ImageNet.open(data, spark);
        case CSV -> ImageLists.open(data, spark);
        case SYNTHETIC -> Synthetic.open(data);
      };
    } catch (IOException | IllegalArgumentException e) { // the latter: no path at all
      throw new UserException(
          "mixtraining.data.source = %s: cannot be read as %s: %s"
              .formatted(data.raw().source(), data.raw().format(), e.getMessage()));
    }
  }

  /** The label of an image that came without one: whether it is trained on or quarantined. */
  static int withoutLabel(DataConfig data, Split split) {
    boolean kept = data.raw().keepUnlabelled() && split == Split.TRAIN;
    return kept ? RawImage.NONE_NEEDED : RawImage.UNLABELLED;
  }

  /** Number of images, usable or not. */
  public long images() {
    return pieces.stream().mapToLong(Piece::images).sum();
  }

  /** Whether the source itself has images of that split. */
  public boolean has(Split split) {
    return pieces.stream().anyMatch(piece -> piece.split() == split);
  }
}
