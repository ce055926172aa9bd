package org.mixtraining.config;

import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.ChecksumFileSystem;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * A path as people write it: of a local file, whatever letters are in its name, or a URI of any
 * file system that Hadoop knows, taken as it stands (nothing in it is decoded, and nothing is a
 * pattern). A leading {@code ~/} is the home directory, as in a shell.
 */
public final class Location {

  /** Options of Spark's readers, which otherwise take a path for a pattern. */
  public static final Map<String, String> LITERALLY = Map.of("__globPaths__", "false");

  private static final Pattern URI = Pattern.compile("[A-Za-z][A-Za-z0-9+.-]*:/.*", Pattern.DOTALL);

  /** The encoding of names of files, and of arguments, that the locale gave this Java. */
  public static final Charset FILE_NAMES = Charset.forName(System.getProperty("sun.jnu.encoding"));

  private Location() {}

  /** Why a path cannot be used, if it cannot. */
  public static Optional<String> problem(String given) {
    String path = given;
    if (given.isEmpty() || given.indexOf('\0') >= 0) {
      return Optional.of("must be a path");
    }
    if (given.startsWith("~")) {
      Optional<String> home = home();
      if (!given.equals("~") && !given.startsWith("~/")) {
        return Optional.of(
            "only ~/ is expanded to a home directory; write another user's in full, or ./%s for a file of that name"
                .formatted(given));
      } else if (home.isEmpty()) {
        return Optional.of("there is no home directory: HOME is not set");
      }
      path = home.get();
    }
    if (isLocal(path) && !FILE_NAMES.newEncoder().canEncode(path)) {
      return Optional.of(
          "has letters that file names cannot have in this Java's locale, whose encoding is %s; set LC_ALL=C.UTF-8"
              .formatted(FILE_NAMES));
    }
    try {
      hadoop(path);
    } catch (IllegalArgumentException e) {
      return Optional.of("is not a path: " + e.getMessage());
    }
    return Optional.empty();
  }

  /** The same with the home directory written out. */
  public static String expanded(String given) {
    return given.equals("~") || given.startsWith("~/")
        ? home().orElse("~") + given.substring(1)
        : given;
  }

  private static Optional<String> home() {
    return Optional.ofNullable(System.getenv("HOME")).filter(home -> home.startsWith("/"));
  }

  private static boolean isLocal(String path) {
    return !URI.matcher(path).matches() || path.startsWith("file:");
  }

  /**
   * As Hadoop takes it.
   *
   * @throws IllegalArgumentException if it is no path
   */
  public static Path path(String given) {
    return hadoop(checked(given));
  }

  private static Path hadoop(String path) {
    // Of two slashes the second would begin a host, and a colon would end a scheme.
    return URI.matcher(path).matches()
        ? new Path(path)
        : new Path(null, null, path.replaceFirst("^//+", "/"));
  }

  /**
   * As Java takes it.
   *
   * @throws IllegalArgumentException if it is no local file
   */
  public static java.nio.file.Path file(String given) {
    if (!isLocal(given)) {
      throw new IllegalArgumentException("must be a file on this machine");
    }
    return java.nio.file.Path.of(checked(given).replaceFirst("^file:/+", "/"));
  }

  private static String checked(String given) {
    problem(given)
        .ifPresent(
            why -> {
              throw new IllegalArgumentException(why);
            });
    return expanded(given);
  }

  /**
   * The file system of a path. The local one without Hadoop's checksum files, which raw files do
   * not have, which cannot be named for a file with a colon, and which an edited file does not
   * match.
   */
  public static FileSystem fileSystem(Path path, Configuration conf) throws IOException {
    FileSystem named = path.getFileSystem(conf);
    return named instanceof ChecksumFileSystem checked ? checked.getRawFileSystem() : named;
  }

  /**
   * The same, of a path that may name a file system that no configuration knows.
   *
   * @throws UserException if it does
   */
  public static FileSystem known(Path path, Configuration conf) throws IOException {
    try {
      return fileSystem(path, conf);
    } catch (IllegalArgumentException e) {
      throw new UserException(
          "%s: its file system %s cannot be reached: %s; is HADOOP_CONF_DIR set?"
              .formatted(path, FileSystem.getDefaultUri(conf), Causes.reason(e)));
    }
  }

  /** As people write it: a local file without its scheme. */
  public static String shown(Path path) {
    return "file".equals(path.toUri().getScheme()) ? path.toUri().getPath() : path.toString();
  }

  /** A qualified local path as Java takes it, which reads no URI with letters beyond ASCII. */
  public static java.nio.file.Path file(Path local) {
    return java.nio.file.Path.of(local.toUri().getPath());
  }

  /** Something in a directory, by its name, which may have a colon. */
  public static Path child(Path directory, String name) {
    return new Path(directory, new Path(null, null, name));
  }

  /**
   * What of a path this user may not read, if it is that: of a file below a directory that may not
   * be entered, and of one that may not be opened, Hadoop says that there is none. Local files
   * only; other file systems say so themselves.
   */
  public static Optional<String> forbidden(FileSystem files, Path path) {
    if (!files.getUri().getScheme().equals("file")) {
      return Optional.empty();
    }
    java.nio.file.Path there = file(files.makeQualified(path));
    for (java.nio.file.Path above = there.getParent(); above != null; above = above.getParent()) {
      if (Files.isDirectory(above) && !Files.isExecutable(above)) {
        return Optional.of("permission denied: this user may not enter %s".formatted(above));
      }
    }
    boolean readable =
        Files.isReadable(there) && (!Files.isDirectory(there) || Files.isExecutable(there));
    return readable || !Files.exists(there)
        ? Optional.empty()
        : Optional.of("permission denied: this user may not read %s".formatted(there));
  }

  /** Whether a directory is another path, or holds it, through links too. */
  static boolean holds(String directory, String other) {
    if (isLocal(directory) && isLocal(other)) {
      return real(file(other)).startsWith(real(file(directory)));
    }
    return (path(other) + "/").startsWith(path(directory) + "/");
  }

  private static java.nio.file.Path real(java.nio.file.Path path) {
    java.nio.file.Path absolute = path.toAbsolutePath().normalize();
    java.nio.file.Path there = absolute;
    while (!Files.exists(there, LinkOption.NOFOLLOW_LINKS) && there.getParent() != null) {
      there = there.getParent();
    }
    try {
      return there.toRealPath().resolve(there.relativize(absolute));
    } catch (IOException e) { // not ours to enter
      return absolute;
    }
  }
}
