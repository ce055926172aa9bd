package org.mixtraining.data;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.UserException;

/**
 * CIFAR-10 and CIFAR-100 in their official binary layouts (Krizhevsky, <a
 * href="https://www.cs.toronto.edu/~kriz/cifar.html">The CIFAR-10 dataset</a>), any number of
 * records per file.
 */
record Cifar(Layout layout, String labelKind, List<String> classes, List<Piece> pieces)
    implements Source {
  private static final int RECORDS_PER_PIECE = 2048;
  private static final List<LabelByte> CIFAR10_LABELS =
      List.of(new LabelByte("label", 10, "batches.meta.txt"));
  private static final List<LabelByte> CIFAR100_LABELS =
      List.of(
          new LabelByte("coarse", 20, "coarse_label_names.txt"),
          new LabelByte("fine", 100, "fine_label_names.txt"));

  /** What a record starts with before its 3072 planar pixel bytes, and how the files are named. */
  enum Layout {
    /** One label byte. */
    CIFAR10("CIFAR-10", "data_batch_*.bin", "test_batch.bin"),
    /** A byte for the coarse label, one for the fine label. */
    CIFAR100("CIFAR-100", "train.bin", "test.bin");

    private final String title;
    private final String trainFiles;
    private final String testFiles;

    Layout(String title, String trainFiles, String testFiles) {
      this.title = title;
      this.trainFiles = trainFiles;
      this.testFiles = testFiles;
    }

    List<LabelByte> labels() {
      return switch (this) {
        case CIFAR10 -> CIFAR10_LABELS;
        case CIFAR100 -> CIFAR100_LABELS;
      };
    }

    int recordBytes() {
      return labels().size() + IMAGE_BYTES;
    }

    /** Where a record holds the label of this kind. */
    int position(String kind) {
      return IntStream.range(0, labels().size())
          .filter(i -> labels().get(i).kind().equals(kind))
          .findFirst()
          .orElseThrow(
              () ->
                  new UserException(
                      "data.label = %s: %s has no such label; allowed: fine, coarse"
                          .formatted(kind, title)));
    }
  }

  private record LabelByte(String kind, int classes, String namesFile) {}

  /** Looks at the files, without reading records. */
  static Cifar open(Layout layout, JobConfig.Data data, Configuration hadoop) throws IOException {
    var directory = new Path(data.source());
    var fs = directory.getFileSystem(hadoop);
    var kind = layout == Layout.CIFAR100 ? data.label() : "label";
    var label = layout.labels().get(layout.position(kind));
    FileStatus[] files = list(fs, directory, layout);
    var pieces = new ArrayList<Piece>();
    long id =
        cut(layout, Split.TRAIN, match(files, layout.trainFiles, layout, directory), 0, pieces);
    cut(layout, Split.TEST, match(files, layout.testFiles, layout, directory), id, pieces);
    return new Cifar(layout, kind, names(fs, directory, label), List.copyOf(pieces));
  }

  private static FileStatus[] list(FileSystem fs, Path directory, Layout layout)
      throws IOException {
    try {
      if (fs.getFileStatus(directory).isDirectory()) {
        return fs.listStatus(directory);
      }
    } catch (FileNotFoundException e) {
      // told below
    }
    throw new UserException(
        "data.source: %s is no directory; expected one with the %s files %s and %s"
            .formatted(directory, layout.title, layout.trainFiles, layout.testFiles));
  }

  private static List<FileStatus> match(
      FileStatus[] files, String pattern, Layout layout, Path directory) {
    var regex = pattern.replace(".", "\\.").replace("*", ".*");
    var matching =
        Arrays.stream(files)
            .filter(file -> file.getPath().getName().matches(regex))
            // data_batch_2 before data_batch_10
            .sorted(
                Comparator.comparing((FileStatus file) -> file.getPath().getName().length())
                    .thenComparing(file -> file.getPath().getName()))
            .toList();
    if (matching.isEmpty()) {
      var found =
          Arrays.stream(files).map(file -> file.getPath().getName()).sorted().limit(10).toList();
      throw new UserException(
          "data.source: no %s in %s; expected the %s files %s and %s, found %s"
              .formatted(
                  pattern, directory, layout.title, layout.trainFiles, layout.testFiles, found));
    }
    return matching;
  }

  private static long cut(
      Layout layout, Split split, List<FileStatus> files, long firstId, List<Piece> pieces) {
    long id = firstId;
    for (FileStatus file : files) {
      long records = records(layout, file);
      for (long first = 0; first < records; first += RECORDS_PER_PIECE) {
        int count = (int) Math.min(RECORDS_PER_PIECE, records - first);
        pieces.add(new Piece(split, file.getPath().toString(), first, count, id));
        id += count;
      }
    }
    return id;
  }

  private static long records(Layout layout, FileStatus file) {
    long bytes = file.getLen();
    int record = layout.recordBytes();
    if (bytes == 0) {
      throw new UserException(
          "data.source: %s is empty; expected %s records of %d bytes"
              .formatted(file.getPath(), layout.title, record));
    }
    long rest = bytes % record;
    if (rest != 0) {
      throw new UserException(
          "data.source: %s has %d bytes, no multiple of the %d bytes of a %s record: the record at byte %d is incomplete (%d bytes)"
              .formatted(file.getPath(), bytes, record, layout.title, bytes - rest, rest));
    }
    return bytes / record;
  }

  private static List<String> names(FileSystem fs, Path directory, LabelByte label)
      throws IOException {
    var file = new Path(directory, label.namesFile());
    if (!fs.exists(file)) {
      return IntStream.range(0, label.classes()).mapToObj(Integer::toString).toList();
    }
    try (var in = fs.open(file)) {
      var text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      var names = text.lines().map(String::strip).filter(name -> !name.isEmpty()).toList();
      if (names.size() != label.classes()) {
        throw new UserException(
            "data.source: %s has %d class names, expected %d, one a line"
                .formatted(file, names.size(), label.classes()));
      }
      return names;
    }
  }

  @Override
  public Stream<RawImage> images(Piece piece, Configuration hadoop) throws IOException {
    return records(piece, hadoop).stream();
  }

  @Override
  public Stream<Label> labels(Piece piece, Configuration hadoop) throws IOException {
    return records(piece, hadoop).stream().map(i -> new Label(i.id(), i.label()));
  }

  private List<RawImage> records(Piece piece, Configuration hadoop) throws IOException {
    var path = new Path(piece.file());
    var images = new ArrayList<RawImage>(piece.records());
    try (var file = path.getFileSystem(hadoop).open(path)) {
      file.seek(piece.firstRecord() * layout.recordBytes());
      var in = new DataInputStream(new BufferedInputStream(file, 1 << 16));
      for (int i = 0; i < piece.records(); i++) {
        images.add(record(piece, i, in));
      }
    }
    return images;
  }

  private RawImage record(Piece piece, int i, DataInputStream in) throws IOException {
    long number = piece.firstRecord() + i;
    var values = new int[layout.labels().size()];
    for (int position = 0; position < values.length; position++) {
      values[position] = in.readUnsignedByte();
      var label = layout.labels().get(position);
      if (values[position] >= label.classes()) {
        throw new UserException(
            "data.source: %s, record %d, byte %d: %s is %d, allowed 0 to %d"
                .formatted(
                    piece.file(),
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
    return new RawImage(
        piece.firstId() + i,
        new Path(piece.file()).getName() + "#" + number,
        values[layout.position(labelKind)],
        both ? values[layout.position("fine")] : null,
        both ? values[layout.position("coarse")] : null,
        pixels);
  }
}
