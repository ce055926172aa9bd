package org.mixtraining.data.images;

import java.io.IOException;

/** Says why the image in a file is not used. */
final class Refusal extends IOException {
  private static final long serialVersionUID = 1L;

  Refusal(String reason) {
    super(reason);
  }
}
