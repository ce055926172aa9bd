package org.mixtraining.data;

import java.io.IOException;
import java.io.Serializable;
import java.util.List;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.UserException;

/**
 * Raw images, cut into pieces that Spark tasks read on their own. Ids number the images from 0, the
 * training images before the test images.
 */
sealed interface Source extends Serializable permits Cifar, Synthetic {
  /** Channels of every image: red, green, blue. */
  int CHANNELS = 3;

  /** Height and width of every image in pixels. */
  int SIZE = 32;

  /** Bytes of one image. */
  int IMAGE_BYTES = CHANNELS * SIZE * SIZE;

  /**
   * Consecutive records of one file.
   *
   * @param split TRAIN or TEST, as the source has it
   * @param firstRecord index of the first record in its file
   * @param firstId image id of that record
   */
  record Piece(Split split, String file, long firstRecord, int records, long firstId)
      implements Serializable {}

  /** The class index of an image. */
  record Label(long id, int label) {}

  /**
   * An image as the source has it.
   *
   * @param origin file and record that it came from
   * @param label the class index that is trained on
   * @param fine CIFAR-100's fine class index, else null
   * @param coarse CIFAR-100's coarse class index, else null
   * @param pixels uint8 [channels, height, width]
   */
  record RawImage(long id, String origin, int label, Integer fine, Integer coarse, byte[] pixels) {}

  /** Opens the source that {@code data.format} names. */
  static Source open(JobConfig.Data data, Configuration hadoop) throws IOException {
    return switch (data.format()) {
      case "cifar10" -> Cifar.open(Cifar.Layout.CIFAR10, data, hadoop);
      case "cifar100" -> Cifar.open(Cifar.Layout.CIFAR100, data, hadoop);
      case "synthetic" -> Synthetic.of(data);
      default ->
          throw new UserException(
              "data.format = %s: unknown; allowed: cifar10, cifar100, synthetic"
                  .formatted(data.format()));
    };
  }

  /** Class names by class index. */
  List<String> classes();

  /** Which of its labels is trained on: {@code label}, or {@code fine} or {@code coarse}. */
  String labelKind();

  /** All pieces, in order of their ids. */
  List<Piece> pieces();

  /** The images of a piece. */
  Stream<RawImage> images(Piece piece, Configuration hadoop) throws IOException;

  /** The labels of a piece. */
  Stream<Label> labels(Piece piece, Configuration hadoop) throws IOException;
}
