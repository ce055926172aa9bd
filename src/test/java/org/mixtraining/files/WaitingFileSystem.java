package org.mixtraining.files;

import java.io.IOException;
import java.io.OutputStream;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/** Local files; those of a name are not made before something else has come to pass. */
public final class WaitingFileSystem extends FaultyFileSystem {
  private static String name;
  private static CountDownLatch passed;
  private static volatile boolean asked;

  /** A configuration whose local files are these. */
  public static Configuration configuration(String name, CountDownLatch passed) {
    WaitingFileSystem.name = name;
    WaitingFileSystem.passed = passed;
    asked = false;
    return configuration(WaitingFileSystem.class);
  }

  /** Whether one of that name was to be made. */
  public static boolean asked() {
    return asked;
  }

  @Override
  void creating(Path file) throws IOException {
    if (!file.getName().contains(name)) {
      return;
    }
    asked = true;
    try {
      if (!passed.await(1, TimeUnit.MINUTES)) {
        throw new IOException("waited in vain to make " + file);
      }
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }

  @Override
  OutputStream faulty(OutputStream file) {
    return file;
  }
}
