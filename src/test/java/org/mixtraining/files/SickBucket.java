package org.mixtraining.files;

import java.io.IOException;

/** A bucket whose n-th change fails, or kills the process that it is for. */
public final class SickBucket extends BucketFileSystem {

  /** Changes until then. */
  static int left;

  static boolean kills;

  private boolean dead;

  @Override
  void changing() throws IOException {
    if (dead || --left == 0) {
      dead = kills;
      if (kills) {
        throw new KillableFileSystem.Killed();
      }
      throw new IOException("503 Slow Down");
    }
  }
}
