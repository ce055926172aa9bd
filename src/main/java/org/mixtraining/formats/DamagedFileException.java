package org.mixtraining.formats;

import java.io.IOException;

/** A file is not what was written: cut off, altered, or never a checkpoint. */
public final class DamagedFileException extends IOException {
  private static final long serialVersionUID = 1L;

  public DamagedFileException(String message) {
    super(message);
  }
}
