package org.mixtraining.cli;

import java.io.File;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.net.URI;
import java.nio.file.AccessDeniedException;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.util.Progressable;

/**
 * {@code bucket://images/…}: files that only this class finds, since they lie below a root that
 * their paths do not tell; and as in an object store, a rename replaces nothing and nothing is
 * appended to.
 */
public final class BucketFileSystem extends RawLocalFileSystem {
  private static final URI NAME = URI.create("bucket://images");
  private static final String ROOT = "fs.bucket.root";

  /** Nobody may write below it. */
  static final String DENIED = "denied";

  private String root;

  /** Hadoop's settings for buckets below a root. */
  static Map<String, String> settings(java.nio.file.Path root) {
    return new TreeMap<>(
        Map.of("fs.bucket.impl", BucketFileSystem.class.getName(), ROOT, root.toString()));
  }

  @Override
  public void initialize(URI name, Configuration conf) throws IOException {
    super.initialize(NAME, conf);
    root = conf.get(ROOT);
    setWorkingDirectory(new Path(NAME.toString(), "/"));
  }

  @Override
  public URI getUri() {
    return NAME;
  }

  @Override
  public String getScheme() {
    return NAME.getScheme();
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
        path.makeQualified(NAME, new Path("/")));
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

  /** Files make their directories by it too. */
  @Override
  public boolean mkdirs(Path path) throws IOException {
    if (path.toUri().getPath().startsWith("/" + DENIED)) {
      throw new AccessDeniedException(path.toString(), null, "403 Forbidden");
    }
    return super.mkdirs(path);
  }

  @Override
  public boolean rename(Path from, Path to) throws IOException {
    return !(exists(to) && getFileStatus(to).isFile()) && super.rename(from, to);
  }

  @Override
  public FSDataOutputStream append(Path path, int bufferSize, Progressable progress) {
    throw new UnsupportedOperationException("nothing is appended to");
  }
}
