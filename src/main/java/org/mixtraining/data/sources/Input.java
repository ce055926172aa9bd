package org.mixtraining.data.sources;

import java.awt.image.BufferedImage;
import java.io.Serializable;
import org.mixtraining.data.images.ImageDecoder;
import org.mixtraining.data.images.Picture;
import org.mixtraining.data.images.RawImage;

/**
 * An image to be predicted, or the reason why it cannot be.
 *
 * @param source file, and record in it, that it comes from
 * @param pixels uint8, [channels, side, side]; null if it cannot be used
 * @param error null if it can
 */
public record Input(String source, byte[] pixels, String error) implements Serializable {

  /**
   * The input shape of a model, and the conversion to it: the centre square of an image is scaled,
   * and converted to grey or to RGB.
   *
   * @param channels 1 or 3
   * @param side height and width in pixels
   * @param crop share of the centre square's side that is seen: {@code evaluation.crop}
   * @param maxPixels a file that declares more is not decoded
   */
  public record Form(int channels, int side, double crop, int maxPixels) implements Serializable {

    /** The image that a JPEG or PNG file holds, turned upright as its Exif says. */
    public Input decode(String source, byte[] file) {
      return file == null
          ? new Input(source, null, "has no bytes")
          : of(decoder().image(source, RawImage.NONE_NEEDED, file));
    }

    /** A decoded image. */
    public Input picture(String source, BufferedImage image) {
      return of(source, Picture.rgb(image));
    }

    Input of(RawImage image) {
      return image instanceof RawImage.Usable usable
          ? of(image.source(), usable.picture())
          : new Input(image.source(), null, ((RawImage.Unusable) image).reason());
    }

    private Input of(String source, Picture picture) {
      return new Input(source, picture.scaled(side, crop).in(channels).pixels(), null);
    }

    ImageDecoder decoder() {
      return new ImageDecoder(side, maxPixels);
    }
  }
}
