package org.mixtraining.checkpoint;

import java.io.IOException;

/** A file is not what was written: cut off, altered, or never a checkpoint. */
final class DamagedFileException extends IOException {
  private static final long serialVersionUID = 1L;

  DamagedFileException(String message) {
    super(message);
  }
}
