package org.mixtraining.files;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.net.URI;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileAlreadyExistsException;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.fs.permission.FsPermission;
import org.apache.hadoop.util.Progressable;

/**
 * {@code bucket://images/…}, or the same of another scheme: files that only this class finds, since
 * they lie below a root that their paths do not tell. As in an object store, a file is there when
 * its stream is closed, a directory is renamed and deleted file by file, a rename replaces nothing
 * and nothing is appended to.
 */
public class BucketFileSystem extends RawLocalFileSystem {
  private static final String ROOT = "fs.bucket.root";

  /** Nothing may be written whose path has this in it. */
  public static volatile String denied = "/denied";

  private URI name;
  private String root;

  /** Hadoop's settings for buckets of a scheme below a root. */
  public static Map<String, String> settings(String scheme, java.nio.file.Path root) {
    return settings(scheme, root, BucketFileSystem.class);
  }

  static Map<String, String> settings(
      String scheme, java.nio.file.Path root, Class<? extends BucketFileSystem> kind) {
    String key = "fs." + scheme + ".impl";
    return new TreeMap<>(
        Map.of(key, kind.getName(), key + ".disable.cache", "true", ROOT, root.toString()));
  }

  @Override
  public void initialize(URI any, Configuration conf) throws IOException {
    name = URI.create(any.getScheme() + "://" + any.getAuthority());
    super.initialize(name, conf);
    root = conf.get(ROOT);
    setWorkingDirectory(new Path(name.toString(), "/"));
  }

  /** Before a file, or one of a directory, is put, copied or deleted. */
  void changing() throws IOException {}

  @Override
  public URI getUri() {
    return name == null ? super.getUri() : name; // as it is constructed
  }

  @Override
  public String getScheme() {
    return name.getScheme();
  }

  @Override
  public File pathToFile(Path path) {
    checkPath(path);
    return new File(root, path.toUri().getPath());
  }

  @Override
  public FileStatus getFileStatus(Path path) throws IOException {
    File file = pathToFile(path);
    if (!file.exists()) {
      throw new FileNotFoundException(path + " is not in the bucket");
    }
    return new FileStatus(
        file.length(),
        file.isDirectory(),
        1,
        1 << 25,
        file.lastModified(),
        path.makeQualified(name, new Path("/")));
  }

  @Override
  public FileStatus getFileLinkStatus(Path path) throws IOException {
    return getFileStatus(path);
  }

  @Override
  public FileStatus[] listStatus(Path path) throws IOException {
    FileStatus self = getFileStatus(path);
    if (self.isFile()) {
      return new FileStatus[] {self};
    }
    String[] names = pathToFile(path).list();
    Arrays.sort(names);
    FileStatus[] list = new FileStatus[names.length];
    for (int i = 0; i < names.length; i++) {
      list[i] = getFileStatus(new Path(path, names[i]));
    }
    return list;
  }

  @Override
  public boolean mkdirs(Path path) throws IOException {
    check(path);
    changing();
    return super.mkdirs(path);
  }

  private static void check(Path path) throws IOException {
    if (path.toUri().getPath().contains(denied)) {
      throw new AccessDeniedException(path.toString(), null, "403 Forbidden");
    }
  }

  @Override
  public FSDataOutputStream create(
      Path path,
      FsPermission permission,
      boolean overwrite,
      int bufferSize,
      short replication,
      long blockSize,
      Progressable progress)
      throws IOException {
    return create(path, overwrite, bufferSize, replication, blockSize, progress);
  }

  @Override
  public FSDataOutputStream create(
      Path path,
      boolean overwrite,
      int bufferSize,
      short replication,
      long blockSize,
      Progressable progress)
      throws IOException {
    check(path);
    if (!overwrite && exists(path)) {
      throw new FileAlreadyExistsException(path + " is in the bucket");
    }
    return new FSDataOutputStream(new Put(path), null);
  }

  /** The bytes of a file that is not there yet. */
  private final class Put extends ByteArrayOutputStream {
    private final Path path;
    private boolean put;

    private Put(Path path) {
      this.path = path;
    }

    @Override
    public void close() throws IOException {
      if (!put) {
        put = true;
        changing();
        move(Files.write(Files.createTempFile("put", null), toByteArray()), file(path));
      }
    }
  }

  private java.nio.file.Path file(Path path) {
    return pathToFile(path).toPath();
  }

  private static void move(java.nio.file.Path from, java.nio.file.Path to) throws IOException {
    Files.createDirectories(to.getParent());
    Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
  }

  /** A file, or what is in a directory, which comes after that. */
  private List<java.nio.file.Path> all(Path path) throws IOException {
    try (var all = Files.walk(file(path))) {
      return all.sorted(Comparator.reverseOrder()).toList();
    }
  }

  @Override
  public boolean rename(Path from, Path to) throws IOException {
    if (exists(to)) {
      return false;
    }
    for (var part : all(from)) {
      if (Files.isRegularFile(part)) {
        changing();
        var target = file(to).resolve(file(from).relativize(part).toString());
        Files.createDirectories(target.getParent());
        Files.copy(part, target);
      }
    }
    return delete(from, true);
  }

  @Override
  public boolean delete(Path path, boolean recursive) throws IOException {
    if (!exists(path)) {
      return false;
    }
    for (var part : all(path)) {
      if (recursive || part.equals(file(path))) {
        changing();
        Files.delete(part);
      }
    }
    return true;
  }

  @Override
  public FSDataOutputStream append(Path path, int bufferSize, Progressable progress) {
    throw new UnsupportedOperationException("nothing is appended to");
  }
}
