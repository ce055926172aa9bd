package org.mixtraining.data.sources;

import java.io.File;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.Serializable;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.security.AccessControlException;
import org.apache.spark.sql.SparkSession;
import org.mixtraining.config.Location;
import org.mixtraining.config.Text;
import org.mixtraining.config.UserException;
import org.mixtraining.data.Notes;
import org.mixtraining.data.images.ImageType;

/**
 * Listing of a directory of raw files, in order of the names. Hidden files (names that begin with a
 * dot) and those of the file system itself are skipped, and noted. Each directory is listed once.
 *
 * @param notes about skipped files, here and by the readers of the files
 * @param known what was listed, by path below the root
 * @param tasks in which many directories are listed
 */
record Listing(
    FileSystem fs, Path root, Notes notes, Map<String, Directory> known, FileTasks tasks) {
  private static final int LONGEST_TEXT = 1 << 26; // bytes; the largest real one has some 10 kB
  private static final int DEEPEST = 20;
  private static final String UNRELATED = "not of this format, skipped";

  /** Directories that operating systems or table writers create. */
  private static final Set<String> SYSTEM =
      Set.of(
          "__MACOSX",
          "@eaDir",
          "#recycle",
          "@Recycle",
          "$RECYCLE.BIN",
          "System Volume Information",
          "lost+found",
          "__pycache__",
          "_temporary",
          "_delta_log",
          "_spark_metadata");

  /**
   * A file.
   *
   * @param name without its directory, or what was asked for, below the root
   * @param bytes its length; {@link #UNREACHABLE} if its name is known and nothing else
   */
  record Entry(String name, long bytes) implements Serializable {
    /** A broken link, or a name with letters that the encoding of this Java does not have. */
    static final long UNREACHABLE = -1;

    boolean isReachable() {
      return bytes != UNREACHABLE;
    }
  }

  /** What one directory holds. */
  record Directory(List<Entry> files, List<String> directories) implements Serializable {}

  Listing(FileSystem fs, Path root, FileTasks tasks) {
    this(fs, root, new Notes(), new HashMap<>(), tasks);
  }

  /**
   * The directory {@code data.source}.
   *
   * @param expected description of the expected files: "one with …"
   * @throws UserException if it is not a directory
   */
  static Listing of(String source, String expected, SparkSession spark) throws IOException {
    var root = Location.path(source);
    var fs = Location.fileSystem(root, spark.sparkContext().hadoopConfiguration());
    try {
      if (fs.getFileStatus(root).isDirectory()) {
        return new Listing(fs, fs.makeQualified(root), new FileTasks(spark));
      }
    } catch (FileNotFoundException e) {
      // reported below
    }
    throw new UserException(
        "mixtraining.data.source: "
            + Location.forbidden(fs, root)
                .orElse("%s is not a directory; expected %s".formatted(source, expected)));
  }

  /** The path of something below the root. */
  Path path(String below) {
    return below.isEmpty() ? root : Location.child(root, below);
  }

  boolean has(String below) throws IOException {
    return fs.exists(path(below));
  }

  /** What a directory holds. */
  Directory look(String below) throws IOException {
    var found = known.get(below);
    if (found == null) {
      found = list(below);
      known.put(below, found);
    }
    return found;
  }

  /**
   * Lists directories before they are {@linkplain #look looked at}, in Spark tasks if they are
   * many. One that cannot be listed is left to the look, which says why.
   */
  void lookAhead(Collection<String> directories) {
    var missing = directories.stream().filter(below -> !known.containsKey(below)).toList();
    var read = tasks.read(root, missing, Listing::list);
    for (int i = 0; i < missing.size(); i++) {
      if (read.get(i) != null) {
        known.put(missing.get(i), noted(read.get(i)));
      }
    }
  }

  /** What a function makes of each of some files, in Spark tasks if they are many. */
  <T, R> List<R> readEach(List<T> files, FileTasks.Reader<T, R> reader) throws IOException {
    var read = tasks.read(root, files, reader);
    var results = new ArrayList<R>();
    for (int i = 0; i < files.size(); i++) {
      results.add(read.get(i) == null ? reader.read(this, files.get(i)) : noted(read.get(i)));
    }
    return results;
  }

  private <R> R noted(FileTasks.Read<R> read) {
    notes.addAll(read.notes());
    return read.result();
  }

  private Directory list(String below) throws IOException {
    var files = new ArrayList<Entry>();
    var directories = new ArrayList<String>();
    for (var status : fs.listStatus(path(below))) {
      var name = status.getPath().getName();
      boolean directory = status.isDirectory();
      if (name.startsWith(".")) {
        notes.add("hidden, skipped", join(below, name) + (directory ? "/" : ""));
      } else if (directory && SYSTEM.contains(name)) {
        notes.add("of the system, skipped", join(below, name) + "/");
      } else if (directory && leadsUp(path(join(below, name)))) {
        notes.add("link to a directory above, skipped", join(below, name) + "/");
      } else if (directory) {
        directories.add(name);
      } else {
        files.add(new Entry(name, status.getLen()));
      }
    }
    for (var name : unreachable(below)) {
      if (name.startsWith(".")) {
        notes.add("hidden, skipped", join(below, name));
      } else {
        files.add(new Entry(name, Entry.UNREACHABLE));
      }
    }
    files.sort(Comparator.comparing(Entry::name));
    directories.sort(Comparator.naturalOrder());
    return new Directory(files, directories);
  }

  /** Names in a directory that Hadoop's local file system silently skips. */
  private List<String> unreachable(String below) {
    var directory = isLocal() ? local(path(below)) : null;
    var names = directory == null ? null : directory.list();
    return Stream.of(names == null ? new String[] {} : names)
        .filter(name -> !new File(directory, name).exists())
        .toList();
  }

  private boolean leadsUp(Path link) throws IOException {
    return isLocal()
        && Files.isSymbolicLink(local(link).toPath())
        && local(link.getParent())
            .toPath()
            .toRealPath()
            .startsWith(local(link).toPath().toRealPath());
  }

  private boolean isLocal() {
    return fs.getUri().getScheme().equals("file");
  }

  private static File local(Path path) {
    return new File(path.toUri().getPath());
  }

  /** Every file at any depth, named by its path below the root; a directory's own come first. */
  List<Entry> walk() throws IOException {
    return walk("");
  }

  /** Those of one directory. */
  List<Entry> walk(String below) throws IOException {
    var files = new ArrayList<Entry>();
    walk(below, 0, files);
    return files;
  }

  private void walk(String below, int depth, List<Entry> files) throws IOException {
    if (depth > DEEPEST) {
      throw new UserException(
          "%s: directories are nested more than %s deep".formatted(path(below), DEEPEST));
    }
    var directory = look(below);
    directory.files().forEach(f -> files.add(new Entry(join(below, f.name()), f.bytes())));
    lookAhead(directory.directories().stream().map(name -> join(below, name)).toList());
    for (var name : directory.directories()) {
      walk(join(below, name), depth + 1, files);
    }
  }

  /**
   * The images among some files, by file name extension, or by the first bytes if that is
   * inconclusive. They include images in unsupported formats, which are quarantined later.
   *
   * @param below what the files are named below
   */
  List<Entry> images(String below, Collection<Entry> files) throws IOException {
    var images = new ArrayList<Entry>();
    for (var file : files) {
      if (isImage(join(below, file.name()), file)) {
        images.add(file);
      } else {
        notes.add("not an image, skipped", join(below, file.name()));
      }
    }
    return images;
  }

  private boolean isImage(String below, Entry file) throws IOException {
    var said = ImageType.isImage(file.name());
    if (said.isPresent() || !file.isReachable() || file.bytes() == 0) { // it may be a pipe
      return said.orElse(!file.isReachable());
    }
    try (var in = fs.open(path(below))) {
      return ImageType.isImage(in.readNBytes(ImageType.START));
    } catch (FileNotFoundException | AccessControlException e) { // reported when images are read
      return true;
    }
  }

  /** Notes files. */
  void note(String what, String below, Collection<Entry> files) {
    files.forEach(file -> notes.add(what, join(below, file.name())));
  }

  /** Notes the files and directories in the root that do not belong to its format. */
  void noteRest(Collection<Entry> files, Collection<String> directories) {
    note(UNRELATED, "", files);
    directories.forEach(name -> notes.add(UNRELATED, name + "/"));
  }

  static String join(String below, String name) {
    return below.isEmpty() ? name : below + "/" + name;
  }

  /** The lines of a small text file that are not blank, stripped. */
  List<String> lines(String file) throws IOException {
    try (var in = fs.open(path(file))) {
      byte[] text = in.readNBytes(LONGEST_TEXT + 1);
      if (text.length > LONGEST_TEXT) {
        throw new UserException(
            "mixtraining.data.source: %s has more than %s bytes: not a list of names"
                .formatted(path(file), LONGEST_TEXT));
      }
      return Text.of(text).lines().map(String::strip).filter(line -> !line.isEmpty()).toList();
    } catch (CharacterCodingException e) {
      throw new UserException(
          "mixtraining.data.source: %s: %s".formatted(path(file), e.getMessage()));
    }
  }
}
