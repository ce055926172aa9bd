package org.mixtraining.data.sources;

import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.mixtraining.data.Split;
import org.mixtraining.data.images.RawImage;

/** A part of a {@link Source} that a Spark task reads on its own. */
public interface Piece extends Serializable {
  /** Most images of a piece whose images are files. */
  int MOST_FILES = 256;

  /** Bytes of their files; a single larger one is a piece of its own. */
  long MOST_BYTES = 64_000_000;

  /** Cuts files into runs of consecutive ones, by their number and their bytes. */
  static <T> List<List<T>> cut(List<T> files, ToLongFunction<T> bytes) {
    var runs = new ArrayList<List<T>>();
    var run = new ArrayList<T>();
    long sum = 0;
    for (T file : files) {
      long own = Math.max(0, bytes.applyAsLong(file));
      if (run.size() == MOST_FILES || (!run.isEmpty() && sum + own > MOST_BYTES)) {
        runs.add(List.copyOf(run));
        run.clear();
        sum = 0;
      }
      run.add(file);
      sum += own;
    }
    if (!run.isEmpty()) {
      runs.add(List.copyOf(run));
    }
    return runs;
  }

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
