package org.mixtraining.data.sources;

import java.io.IOException;
import java.io.Serializable;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.mixtraining.data.Split;
import org.mixtraining.data.images.RawImage;

/** A part of a {@link Source} that a Spark task reads on its own. */
public interface Piece extends Serializable {
  /** The split that the source has it in. */
  Split split();

  /** Number of images, usable or not. */
  int images();

  /**
   * The images, in the same order at every reading; to be closed.
   *
   * @throws org.mixtraining.config.UserException here or while the stream is consumed, if the file
   *     that holds the images is itself damaged
   */
  Stream<RawImage> read(Configuration hadoop) throws IOException;
}
