package org.mixtraining.data.sources;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.util.List;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.security.AccessControlException;
import org.mixtraining.config.Location;
import org.mixtraining.data.Split;
import org.mixtraining.data.images.ImageDecoder;
import org.mixtraining.data.images.RawImage;

/**
 * JPEG and PNG files, one an image.
 *
 * @param root directory that the paths are below
 */
record ImageFiles(Split split, String root, List<Labelled> files, ImageDecoder decoder)
    implements Piece {
  /**
   * Largest file: each task slot holds one in memory; photographs of 33 million pixels are smaller.
   */
  static final int LONGEST_FILE = 1 << 26;

  /**
   * A file and its class.
   *
   * @param path below the root
   * @param label class index, or {@link RawImage#UNLABELLED}
   * @param bytes as {@link Listing.Entry} has it
   * @param problem why it cannot be used; null if it can, for all that is known
   */
  record Labelled(String path, int label, long bytes, String problem) implements Serializable {
    Labelled(String path, int label, long bytes) {
      this(path, label, bytes, null);
    }
  }

  /** Cuts files into pieces, in the given order. */
  static List<Piece> cut(Split split, Listing listing, List<Labelled> files, ImageDecoder decoder) {
    var root = listing.root().toString();
    return Piece.cut(files, Labelled::bytes).stream()
        .<Piece>map(own -> new ImageFiles(split, root, own, decoder))
        .toList();
  }

  @Override
  public int images() {
    return files.size();
  }

  @Override
  public Stream<RawImage> read(Configuration hadoop) throws IOException {
    var fs = Location.fileSystem(new Path(root), hadoop);
    return files.stream().map(file -> image(file, fs));
  }

  private RawImage image(Labelled file, FileSystem fs) {
    if (file.problem() != null) {
      return unusable(file, file.problem());
    } else if (file.bytes() == Listing.Entry.UNREACHABLE) {
      return unusable(
          file,
          "cannot be opened: missing, a broken link, or a name that Java's encoding %s cannot represent"
              .formatted(System.getProperty("sun.jnu.encoding")));
    } else if (file.bytes() == 0) { // not even opened: it may be a pipe
      return unusable(file, "empty: 0 bytes");
    } else if (file.bytes() > LONGEST_FILE) {
      return unusable(file, "has %s bytes, more than %s".formatted(file.bytes(), LONGEST_FILE));
    }
    try (var in = fs.open(new Path(root + "/" + file.path()))) {
      return decoder.image(file.path(), file.label(), in.readNBytes(LONGEST_FILE));
    } catch (FileNotFoundException
        | AccessControlException
        | AccessDeniedException
        | IllegalArgumentException e) {
      var refused = String.valueOf(e.getMessage()).contains("ermission denied");
      return unusable(
          file,
          "cannot be read: " + (refused ? "permission denied" : e.getClass().getSimpleName()));
    } catch (IOException e) { // not the file's fault: Spark retries the task
      throw new UncheckedIOException(e);
    }
  }

  private static RawImage unusable(Labelled file, String reason) {
    return new RawImage.Unusable(file.path(), file.label(), reason);
  }
}
