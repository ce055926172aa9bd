package org.mixtraining.data;

import java.nio.charset.CharacterCodingException;
import org.mixtraining.config.Text;
import org.mixtraining.config.Location;
import java.io.File;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.ChecksumFileSystem;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.mixtraining.config.UserException;

/**
 * What lies below a directory of raw files, in order of the names; hidden names (. and _) apart.
 */
record Listing(FileSystem fs, Path root) {
  private static final int LONGEST_TEXT = 1 << 26; // bytes; the largest real one has some 10 kB

  /**
   * A file.
   *
   * @param name without its directory
   * @param bytes its length; {@link #UNREACHABLE} if its name is known and nothing else
   */
  record Entry(String name, long bytes) {
    /** A broken link, or a name with letters that the encoding of this Java does not have. */
    static final long UNREACHABLE = -1;
  }

  /**
   * The directory {@code data.source}.
   *
   * @param expected what should be there: "one with …"
   * @throws UserException if it is no directory
   */
  static Listing of(String source, String expected, Configuration hadoop) throws IOException {
    try {
      var root = Location.path(source);
      var fs = fileSystem(root, hadoop);
      if (fs.getFileStatus(root).isDirectory()) {
        return new Listing(fs, fs.makeQualified(root));
      }
    } catch (FileNotFoundException e) {
      // told below
    }
    throw new UserException(
        "data.source: %s is no directory; expected %s".formatted(source, expected));
  }

  /**
   * The file system of a path. The local one without Hadoop's checksum files, which raw files do
   * not have, and which cannot be named for a file with a colon.
   */
  static FileSystem fileSystem(Path path, Configuration hadoop) throws IOException {
    var fs = path.getFileSystem(hadoop);
    return fs instanceof ChecksumFileSystem checked ? checked.getRawFileSystem() : fs;
  }

  /** The path of something below the root. */
  Path path(String below) {
    return below.isEmpty() ? root : Location.child(root, below);
  }

  boolean has(String below) throws IOException {
    return fs.exists(path(below));
  }

  /** Names of the directories in a directory. */
  List<String> directories(String below) throws IOException {
    var names = new ArrayList<String>();
    for (var status : fs.listStatus(path(below))) {
      if (status.isDirectory() && !isHidden(status.getPath().getName())) {
        names.add(status.getPath().getName());
      }
    }
    names.sort(Comparator.naturalOrder());
    return names;
  }

  /** The files in a directory. */
  List<Entry> files(String below) throws IOException {
    var files = new ArrayList<Entry>();
    for (var status : fs.listStatus(path(below))) {
      if (!status.isDirectory() && !isHidden(status.getPath().getName())) {
        files.add(new Entry(status.getPath().getName(), status.getLen()));
      }
    }
    unreachable(below).forEach(name -> files.add(new Entry(name, Entry.UNREACHABLE)));
    files.sort(Comparator.comparing(Entry::name));
    return files;
  }

  /** Names in a directory that Hadoop's local file system passes over in silence. */
  List<String> unreachable(String below) {
    var names =
        fs.getUri().getScheme().equals("file")
            ? new File(path(below).toUri().getPath()).list()
            : null;
    var unreachable = new ArrayList<String>();
    for (var name : names == null ? new String[] {} : names) {
      if (!isHidden(name) && !new File(path(below).toUri().getPath(), name).exists()) {
        unreachable.add(name);
      }
    }
    return unreachable;
  }

  /** The lines of a small text file that are not blank, stripped. */
  List<String> lines(String file) throws IOException {
    try (var in = fs.open(path(file))) {
      byte[] text = in.readNBytes(LONGEST_TEXT + 1);
      if (text.length > LONGEST_TEXT) {
        throw new UserException(
            String.format(
                Locale.ROOT,
                "data.source: %s has more than %d bytes: no list of names",
                path(file),
                LONGEST_TEXT));
      }
      return Text.of(text)
          .lines()
          .map(String::strip)
          .filter(line -> !line.isEmpty())
          .toList();
    } catch (CharacterCodingException e) {
      throw new UserException("data.source: %s: %s".formatted(path(file), e.getMessage()));
    }
  }

  private static boolean isHidden(String name) {
    return name.startsWith(".") || name.startsWith("_");
  }
}
