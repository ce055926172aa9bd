package org.mixtraining.spark;

import java.io.IOException;
import java.net.URI;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;

/** Local files under the scheme {@code flaky}, of which one shard cannot be opened at first. */
public final class OpensFailingOnce extends RawLocalFileSystem {
  static final AtomicBoolean FAILED = new AtomicBoolean();

  @Override
  public URI getUri() {
    return URI.create("flaky:///");
  }

  @Override
  public FSDataInputStream open(Path file, int bufferSize) throws IOException {
    if (file.toString().contains("split=train/shard=1") && FAILED.compareAndSet(false, true)) {
      throw new IOException("the disk has a bad day");
    }
    return super.open(file, bufferSize);
  }
}
