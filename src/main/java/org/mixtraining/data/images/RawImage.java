package org.mixtraining.data.images;

/** An image as a source has it: one that can be used, or the reason why it cannot. */
public sealed interface RawImage {
  /** Label of an image that has none. */
  int UNLABELLED = -1;

  /** Label of an image that needs none: to predict, or for the self-supervised objectives alone. */
  int NONE_NEEDED = -2;

  /** File, and record in it, that the image comes from. */
  String source();

  /** The class index that is trained on, {@link #UNLABELLED} or {@link #NONE_NEEDED}. */
  int label();

  /**
   * An image and its labels.
   *
   * @param fine CIFAR-100's fine class index, else null
   * @param coarse CIFAR-100's coarse class index, else null
   * @param file the JPEG or PNG file that the picture was decoded from, else null
   */
  record Usable(
      String source, int label, Integer fine, Integer coarse, Picture picture, byte[] file)
      implements RawImage {
    public Usable(String source, int label, Picture picture) {
      this(source, label, null, null, picture, null);
    }
  }

  /** An image to be quarantined, and why. */
  record Unusable(String source, int label, String reason) implements RawImage {}
}
