package org.mixtraining.files;

import java.io.IOException;
import java.io.OutputStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.fs.permission.FsPermission;
import org.apache.hadoop.util.Progressable;

/** Local files whose writing goes wrong in the way of a subclass. */
public abstract class FaultyFileSystem extends RawLocalFileSystem {

  /** A configuration whose local files are those of a subclass. */
  public static Configuration configuration(Class<? extends FaultyFileSystem> kind) {
    Configuration conf = new Configuration();
    conf.set("fs.file.impl", kind.getName());
    conf.setBoolean("fs.file.impl.disable.cache", true);
    return conf;
  }

  /** Before a file is made. */
  void creating(Path file) throws IOException {}

  /** A stream that goes wrong, into a file that was made. */
  abstract OutputStream faulty(OutputStream file) throws IOException;

  @Override
  public FSDataOutputStream create(
      Path file,
      FsPermission permission,
      boolean overwrite,
      int bufferSize,
      short replication,
      long blockSize,
      Progressable progress)
      throws IOException {
    creating(file);
    OutputStream made =
        super.create(file, permission, overwrite, bufferSize, replication, blockSize, progress);
    return new FSDataOutputStream(faulty(made), null);
  }

  @Override
  public FSDataOutputStream create(
      Path file,
      boolean overwrite,
      int bufferSize,
      short replication,
      long blockSize,
      Progressable progress)
      throws IOException {
    creating(file);
    OutputStream made = super.create(file, overwrite, bufferSize, replication, blockSize, progress);
    return new FSDataOutputStream(faulty(made), null);
  }
}
