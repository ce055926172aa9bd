package org.mixtraining.kernels;

import org.mixtraining.config.UserException;

/**
 * A device has too little memory left. Another process may hold what is missing, so that a task is
 * worth a try on another executor; after that the configuration asks for too much.
 */
public final class OutOfDeviceMemoryException extends UserException {
  private static final long serialVersionUID = 1L;

  public OutOfDeviceMemoryException(String problem) {
    super(problem);
  }
}
