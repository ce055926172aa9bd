package org.mixtraining.data.prepare;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HexFormat;
import java.util.List;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.apache.commons.codec.digest.DigestUtils;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.mixtraining.config.DataConfig;
import org.mixtraining.config.Location;
import org.mixtraining.data.sources.Piece;
import org.mixtraining.data.sources.Source;

/**
 * The tables that a source's pieces are decoded to, a directory for each run of consecutive pieces.
 * They lie in a directory that is named for all that they depend on: what another process left is
 * used if that is the same, and removed if not.
 */
final class DecodedParts {
  private static final Pattern NAME = Pattern.compile("pieces-(\\d+)-(\\d+)");
  private static final String COMPLETE = "_SUCCESS";
  private static final int SHOWN_DIGITS = 16;

  /** Pieces from one to before another. */
  record Part(int from, int to) {}

  private final Path directory;
  private final int count;
  private final BitSet decoded = new BitSet();
  private final List<Part> parts = new ArrayList<>();

  private DecodedParts(Path directory, int count) {
    this.directory = directory;
    this.count = count;
  }

  /** Those of a source, with what was decoded before. */
  static DecodedParts of(Source source, DataConfig data, Path to, Configuration hadoop)
      throws IOException {
    var fs = Location.fileSystem(to, hadoop);
    var name = name(source, data);
    var all = new DecodedParts(Location.child(to, name), source.pieces().size());
    if (fs.exists(to)) {
      for (var status : fs.listStatus(to)) {
        if (!status.getPath().getName().equals(name)) {
          fs.delete(status.getPath(), true);
        }
      }
    }
    if (fs.exists(all.directory)) {
      all.find(fs);
    }
    return all;
  }

  /** Takes complete tables, and removes others. */
  private void find(FileSystem fs) throws IOException {
    for (var status : fs.listStatus(directory)) {
      var matcher = NAME.matcher(status.getPath().getName());
      if (matcher.matches() && fs.exists(new Path(status.getPath(), COMPLETE))) {
        add(new Part(Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2))));
      } else {
        fs.delete(status.getPath(), true);
      }
    }
  }

  private void add(Part part) {
    parts.add(part);
    decoded.set(part.from, part.to);
  }

  /**
   * A digest of the pieces, with the names and sizes of their files, and of what they become: the
   * same in every process.
   */
  private static String name(Source source, DataConfig data) {
    var digest = DigestUtils.getSha256Digest();
    digest.update(new TreeMap<>(data.ingredients()).toString().getBytes(StandardCharsets.UTF_8));
    for (Piece piece : source.pieces()) {
      digest.update(piece.toString().getBytes(StandardCharsets.UTF_8));
    }
    return HexFormat.of().formatHex(digest.digest()).substring(0, SHOWN_DIGITS);
  }

  /** Numbers of the pieces that are decoded. */
  List<Integer> pieces() {
    return decoded.stream().boxed().toList();
  }

  /**
   * Takes over the pieces that are not decoded, for the caller to decode.
   *
   * @param most pieces of a part
   */
  List<Part> missing(int most) {
    var missing = new ArrayList<Part>();
    int from = decoded.nextClearBit(0);
    while (from < count) {
      int taken = decoded.nextSetBit(from);
      int end = Math.min(from + most, taken < 0 ? count : taken);
      var part = new Part(from, end);
      missing.add(part);
      add(part);
      from = decoded.nextClearBit(end);
    }
    return missing;
  }

  /** The directory of a part's table. */
  Path path(Part part) {
    return Location.child(directory, "pieces-%s-%s".formatted(part.from, part.to));
  }

  /** Those of all parts. */
  List<String> paths() {
    return parts.stream().map(part -> path(part).toString()).toList();
  }
}
