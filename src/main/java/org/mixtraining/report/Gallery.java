package org.mixtraining.report;

import static j2html.TagCreator.img;

import j2html.tags.specialized.ImgTag;
import java.util.Base64;

/** Images embedded in the page. */
final class Gallery {

  private Gallery() {}

  /**
   * @param description alternative text for screen readers
   */
  static ImgTag image(byte[] png, String description) {
    return img()
        .withSrc("data:image/png;base64," + Base64.getEncoder().encodeToString(png))
        .withAlt(description);
  }
}
