package org.mixtraining.data.images;

import java.io.IOException;

/** The reason why the image in a file cannot be used. */
final class Refusal extends IOException {
  private static final long serialVersionUID = 1L;

  Refusal(String reason) {
    super(reason);
  }
}
