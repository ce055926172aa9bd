package org.mixtraining.formats;

import java.io.IOException;

/** A file is truncated, altered, or was never in the expected format. */
public final class DamagedFileException extends IOException {
  private static final long serialVersionUID = 1L;

  public DamagedFileException(String message) {
    super(message);
  }
}
