package org.mixtraining.data.sources;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;
import org.apache.commons.lang3.function.Failable;
import org.apache.commons.lang3.function.FailableFunction;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.SparkSession;
import org.mixtraining.config.DataConfig;
import org.mixtraining.config.Location;
import org.mixtraining.config.UserException;
import org.mixtraining.data.Split;
import org.mixtraining.data.images.Picture;
import org.mixtraining.data.images.RawImage;

/**
 * Grey images of the MNIST family in IDX files (LeCun, Cortes and Burges, <a
 * href="http://yann.lecun.com/exdb/mnist/">The MNIST database</a>), gzipped or not: {@code
 * train-images-idx3-ubyte}, {@code train-labels-idx1-ubyte}, and the same of {@code t10k} or {@code
 * test}; something and a dash may stand before each name, as in EMNIST. A piece is consecutive
 * images of a file; of a gzipped one, all of them.
 *
 * @param labels of the images
 */
record Idx(Split split, String file, int first, int height, int width, byte[] labels)
    implements Piece {
  private static final int IMAGES_PER_PIECE = 4096;

  /** The largest of the family has 1.2 million. */
  private static final int MOST_IMAGES = 1 << 26;

  private static final String EXPECTED =
      "one with train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, or these with .gz";

  /** Magic numbers: 0, 0, the type of the elements, the number of dimensions. */
  private enum Kind {
    LABELS(0x801, "labels", 1),
    IMAGES(0x803, "images", 3);

    private final int magic;
    private final String name;
    private final int dimensions;

    Kind(int magic, String name, int dimensions) {
      this.magic = magic;
      this.name = name;
      this.dimensions = dimensions;
    }

    int headerBytes() {
      return Integer.BYTES * (1 + dimensions);
    }
  }

  static Source open(DataConfig data, SparkSession spark) throws IOException {
    var hadoop = spark.sparkContext().hadoopConfiguration();
    var listing = Listing.of(data.raw().source(), EXPECTED, spark);
    var pieces = new ArrayList<Piece>();
    var there = listing.look("");
    var rest = new ArrayList<>(there.files());
    int classes = 0;
    for (var split : List.of(Split.TRAIN, Split.TEST)) {
      var labels = labels(find(listing, rest, split, Kind.LABELS), hadoop);
      pieces.addAll(images(find(listing, rest, split, Kind.IMAGES), split, labels, data, hadoop));
      for (byte label : labels) {
        classes = Math.max(classes, 1 + (label & 0xFF));
      }
    }
    listing.noteRest(rest, there.directories());
    var names = IntStream.range(0, classes).mapToObj(Integer::toString).toList();
    return new Source("label", names, 1, pieces, listing.notes().list());
  }

  /** The images of a file without their labels. */
  static List<Piece> unlabelled(Path file, DataConfig data, Configuration hadoop)
      throws IOException {
    int count = read(file, hadoop, in -> header(in, file, Kind.IMAGES))[0];
    return images(file, Split.TEST, new byte[count], data, hadoop);
  }

  private static <T> T read(
      Path file, Configuration hadoop, FailableFunction<DataInputStream, T, IOException> reading)
      throws IOException {
    try (var in = contents(file, hadoop)) {
      return reading.apply(in);
    } catch (EOFException | ZipException e) {
      throw damaged(file, e);
    }
  }

  /** Takes a file out of those that are there. */
  private static Path find(Listing listing, List<Listing.Entry> there, Split split, Kind kind) {
    var name =
        Pattern.compile(
            "(.+-)?(%s)-%s[-.]idx%s-ubyte(\\.gz)?"
                .formatted(
                    split == Split.TRAIN ? "train" : "t10k|test", kind.name, kind.dimensions));
    var files = there.stream().map(Listing.Entry::name).toList();
    var matching = files.stream().filter(name.asMatchPredicate()).toList();
    if (matching.size() != 1) {
      throw new UserException(
          "mixtraining.data.source: %s has %s %s of the %s split; expected %s, found %s"
              .formatted(
                  listing.root(),
                  matching.isEmpty() ? "no" : "more than one file with",
                  kind.name,
                  split.key(),
                  EXPECTED,
                  matching.isEmpty() ? files.stream().limit(10).toList() : matching));
    }
    there.removeIf(file -> file.name().equals(matching.get(0)));
    return listing.path(matching.get(0));
  }

  private static byte[] labels(Path file, Configuration hadoop) throws IOException {
    return read(
        file,
        hadoop,
        in -> {
          int count = header(in, file, Kind.LABELS)[0];
          byte[] labels = in.readNBytes(count);
          if (labels.length < count) {
            throw new EOFException();
          }
          checkEnd(in, file);
          return labels;
        });
  }

  private static List<Piece> images(
      Path file, Split split, byte[] labels, DataConfig data, Configuration hadoop)
      throws IOException {
    int[] shape = read(file, hadoop, in -> header(in, file, Kind.IMAGES));
    if (shape[0] != labels.length) {
      throw new UserException(
          "mixtraining.data.source: %s declares %s images, but there are %s labels"
              .formatted(file, shape[0], labels.length));
    }
    long pixels = (long) shape[1] * shape[2];
    if (pixels > data.preparation().maxPixels()) {
      throw new UserException(
          "mixtraining.data.source: %s declares images of %s x %s pixels, more than mixtraining.data.max-pixels = %s"
              .formatted(file, shape[1], shape[2], data.preparation().maxPixels()));
    }
    long expected = Kind.IMAGES.headerBytes() + shape[0] * pixels;
    long bytes = Location.fileSystem(file, hadoop).getFileStatus(file).getLen();
    if (!isGzipped(file) && bytes != expected) {
      throw new UserException(
          "mixtraining.data.source: %s has %s bytes, but its header declares %s images of %s x %s: %s bytes"
              .formatted(file, bytes, shape[0], shape[1], shape[2], expected));
    }
    return cut(file, split, shape, labels);
  }

  private static List<Piece> cut(Path file, Split split, int[] shape, byte[] labels) {
    int size = isGzipped(file) ? labels.length : IMAGES_PER_PIECE;
    var pieces = new ArrayList<Piece>();
    for (int first = 0; first < labels.length; first += size) {
      byte[] own = Arrays.copyOfRange(labels, first, Math.min(first + size, labels.length));
      pieces.add(new Idx(split, file.toString(), first, shape[1], shape[2], own));
    }
    return pieces;
  }

  /** The sizes of the dimensions, each at least 1. */
  private static int[] header(DataInputStream in, Path file, Kind kind) throws IOException {
    int magic = in.readInt();
    if (magic != kind.magic) {
      throw new UserException(
          String.format(
              Locale.ROOT,
              "mixtraining.data.source: %s begins with 0x%08x; expected 0x%08x, an IDX file of %s",
              file,
              magic,
              kind.magic,
              kind.name));
    }
    var sizes = new int[kind.dimensions];
    for (int i = 0; i < sizes.length; i++) {
      sizes[i] = in.readInt();
      int most = i == 0 ? MOST_IMAGES : 65_535;
      if (sizes[i] < 1 || sizes[i] > most) {
        throw new UserException(
            "mixtraining.data.source: %s declares %s in dimension %s; allowed: 1 to %s"
                .formatted(file, sizes[i] & 0xFFFFFFFFL, i, most));
      }
    }
    return sizes;
  }

  private static void checkEnd(DataInputStream in, Path file) throws IOException {
    if (in.read() >= 0) { // and a gzip stream's checksum is right
      throw new UserException(
          "mixtraining.data.source: %s holds more than its header declares".formatted(file));
    }
  }

  private static boolean isGzipped(Path file) {
    return file.getName().endsWith(".gz");
  }

  private static DataInputStream contents(Path file, Configuration hadoop) throws IOException {
    var in = Location.fileSystem(file, hadoop).open(file);
    try {
      return new DataInputStream(
          new BufferedInputStream(isGzipped(file) ? new GZIPInputStream(in) : in, 1 << 16));
    } catch (IOException e) {
      in.close();
      throw e;
    }
  }

  private static UserException damaged(Path file, IOException e) {
    return new UserException(
        "mixtraining.data.source: %s %s"
            .formatted(
                file,
                e instanceof EOFException
                    ? "is shorter than its header declares"
                    : "is not a gzip file, or damaged: " + e.getMessage()));
  }

  @Override
  public int images() {
    return labels.length;
  }

  @Override
  public Stream<RawImage> read(Configuration hadoop) throws IOException {
    var path = new Path(file);
    var in = contents(path, hadoop);
    try {
      in.skipNBytes(Kind.IMAGES.headerBytes() + (long) first * height * width);
    } catch (IOException e) {
      in.close();
      throw e;
    }
    return IntStream.range(0, labels.length)
        .mapToObj(i -> image(i, in))
        .onClose(() -> Failable.run(in::close));
  }

  private RawImage image(int i, DataInputStream in) {
    var pixels = new byte[height * width];
    try {
      in.readFully(pixels);
      if (i == labels.length - 1 && isGzipped(new Path(file))) {
        checkEnd(in, new Path(file));
      }
    } catch (EOFException | ZipException e) {
      throw damaged(new Path(file), e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new RawImage.Usable(
        new Path(file).getName() + "#" + (first + i),
        labels[i] & 0xFF,
        new Picture(1, height, width, pixels));
  }
}
