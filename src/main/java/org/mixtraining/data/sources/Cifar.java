package org.mixtraining.data.sources;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
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
 * CIFAR-10 and CIFAR-100 in their official binary layouts (Krizhevsky, <a
 * href="https://www.cs.toronto.edu/~kriz/cifar.html">The CIFAR-10 dataset</a>), any number of
 * records per file. A piece is consecutive records of a file.
 *
 * @param labelKind the label that is trained on: {@code label}, {@code fine} or {@code coarse}
 * @param firstRecord index of the first record in its file
 */
record Cifar(
    Layout layout, String labelKind, Split split, String file, long firstRecord, int images)
    implements Piece {
  private static final int SIDE = 32;
  private static final int CHANNELS = 3;
  private static final int IMAGE_BYTES = CHANNELS * SIDE * SIDE;
  private static final int RECORDS_PER_PIECE = 2048;

  /**
   * Binary layouts: the label bytes before a record's 3072 planar pixel bytes, and the file names.
   */
  enum Layout {
    /** One label byte. */
    CIFAR10(
        "CIFAR-10",
        "data_batch_*.bin",
        "test_batch.bin",
        new LabelByte("label", 10, "batches.meta.txt")),
    /** A byte for the coarse label, one for the fine label. */
    CIFAR100(
        "CIFAR-100",
        "train.bin",
        "test.bin",
        new LabelByte("coarse", 20, "coarse_label_names.txt"),
        new LabelByte("fine", 100, "fine_label_names.txt"));

    private final String title;
    private final String trainFiles;
    private final String testFiles;
    private final List<LabelByte> labels;

    Layout(String title, String trainFiles, String testFiles, LabelByte... labels) {
      this.title = title;
      this.trainFiles = trainFiles;
      this.testFiles = testFiles;
      this.labels = List.of(labels);
    }

    List<String> official() {
      return this == CIFAR10
          ? IntStream.rangeClosed(1, 5).mapToObj(i -> trainFiles.replace("*", "" + i)).toList()
          : List.of(); // both are needed anyway
    }

    int recordBytes() {
      return labels.size() + IMAGE_BYTES;
    }

    /** Offset of the label of this kind in a record. */
    int position(String kind) {
      return IntStream.range(0, labels.size())
          .filter(i -> labels.get(i).kind().equals(kind))
          .findFirst()
          .orElseThrow();
    }
  }

  private record LabelByte(String kind, int classes, String namesFile) {}

  /** Looks at the files, without reading records. */
  static Source open(Layout layout, DataConfig data, SparkSession spark) throws IOException {
    var expected =
        "one with the %s files %s and %s"
            .formatted(layout.title, layout.trainFiles, layout.testFiles);
    var listing = Listing.of(data.raw().source(), expected, spark);
    var kind = layout == Layout.CIFAR100 ? data.raw().label() : "label";
    var label = layout.labels.get(layout.position(kind));
    var pieces = new ArrayList<Piece>();
    var there = listing.look("");
    var rest = new ArrayList<>(there.files());
    rest.removeIf(f -> layout.labels.stream().anyMatch(l -> l.namesFile().equals(f.name())));
    for (var split : List.of(Split.TRAIN, Split.TEST)) {
      var pattern = split == Split.TRAIN ? layout.trainFiles : layout.testFiles;
      var files = match(listing, there.files(), pattern, expected);
      for (var file : files) {
        pieces.addAll(cut(layout, kind, split, listing.path(file.name()), file.bytes()));
      }
      rest.removeAll(files);
    }
    layout.official().stream()
        .filter(name -> there.files().stream().noneMatch(file -> file.name().equals(name)))
        .forEach(name -> listing.notes().add("official files that are missing", name));
    listing.noteRest(rest, there.directories());
    return new Source(kind, names(listing, label), CHANNELS, pieces, listing.notes().list());
  }

  private static List<Listing.Entry> match(
      Listing listing, List<Listing.Entry> files, String pattern, String expected) {
    var regex = pattern.replace(".", "\\.").replace("*", ".*");
    var matching =
        files.stream()
            .filter(file -> file.name().matches(regex))
            // data_batch_2 before data_batch_10
            .sorted(
                Comparator.comparing((Listing.Entry file) -> file.name().length())
                    .thenComparing(Listing.Entry::name))
            .toList();
    if (matching.isEmpty()) {
      throw new UserException(
          "mixtraining.data.source: no %s in %s; expected %s, found %s"
              .formatted(
                  pattern,
                  listing.root(),
                  expected,
                  files.stream().map(Listing.Entry::name).limit(10).toList()));
    }
    return matching;
  }

  private static List<Piece> cut(Layout layout, String kind, Split split, Path file, long bytes) {
    long records = records(layout, file, bytes);
    var pieces = new ArrayList<Piece>();
    for (long first = 0; first < records; first += RECORDS_PER_PIECE) {
      int count = (int) Math.min(RECORDS_PER_PIECE, records - first);
      pieces.add(new Cifar(layout, kind, split, file.toString(), first, count));
    }
    return pieces;
  }

  private static long records(Layout layout, Path file, long bytes) {
    int record = layout.recordBytes();
    if (bytes <= 0) {
      throw new UserException(
          "mixtraining.data.source: %s is empty; expected %s records of %s bytes"
              .formatted(file, layout.title, record));
    }
    long rest = bytes % record;
    if (rest != 0) {
      throw new UserException(
          "mixtraining.data.source: %s has %s bytes, no multiple of the %s bytes of a %s record: the record at byte %s is incomplete (%s bytes)"
              .formatted(file, bytes, record, layout.title, bytes - rest, rest));
    }
    return bytes / record;
  }

  private static List<String> names(Listing listing, LabelByte label) throws IOException {
    if (!listing.has(label.namesFile())) {
      return IntStream.range(0, label.classes()).mapToObj(Integer::toString).toList();
    }
    var names = listing.lines(label.namesFile());
    if (names.size() != label.classes()) {
      throw new UserException(
          "mixtraining.data.source: %s has %s class names, expected %s, one a line"
              .formatted(listing.path(label.namesFile()), names.size(), label.classes()));
    }
    return names;
  }

  @Override
  public Stream<RawImage> read(Configuration hadoop) throws IOException {
    var path = new Path(file);
    var read = new ArrayList<RawImage>(images);
    try (var in = Location.fileSystem(path, hadoop).open(path)) {
      in.seek(firstRecord * layout.recordBytes());
      var records = new DataInputStream(new BufferedInputStream(in, 1 << 16));
      for (int i = 0; i < images; i++) {
        read.add(record(firstRecord + i, records));
      }
    }
    return read.stream();
  }

  private RawImage record(long number, DataInputStream in) throws IOException {
    var values = new int[layout.labels.size()];
    for (int position = 0; position < values.length; position++) {
      values[position] = in.readUnsignedByte();
      var label = layout.labels.get(position);
      if (values[position] >= label.classes()) {
        throw new UserException(
            "mixtraining.data.source: %s, record %s, byte %s: %s is %s, allowed 0 to %s"
                .formatted(
                    file,
                    number,
                    number * layout.recordBytes() + position,
                    label.kind().equals("label") ? "label" : label.kind() + " label",
                    values[position],
                    label.classes() - 1));
      }
    }
    var pixels = new byte[IMAGE_BYTES];
    in.readFully(pixels);
    boolean both = layout == Layout.CIFAR100;
    return new RawImage.Usable(
        new Path(file).getName() + "#" + number,
        values[layout.position(labelKind)],
        both ? values[layout.position("fine")] : null,
        both ? values[layout.position("coarse")] : null,
        new Picture(CHANNELS, SIDE, SIDE, pixels),
        null);
  }
}
