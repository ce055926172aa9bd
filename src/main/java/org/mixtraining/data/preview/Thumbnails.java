package org.mixtraining.data.preview;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import javax.imageio.ImageIO;
import org.apache.hadoop.conf.Configuration;
import org.mixtraining.data.DatasetManifest;
import org.mixtraining.data.ImageSet;
import org.mixtraining.data.Shards;
import org.mixtraining.data.Split;

/** Single images of a prepared dataset as PNG, pixel for pixel. */
public final class Thumbnails {

  private Thumbnails() {}

  /**
   * The images of a split with some ids, by id; an id that the split does not have is left out.
   *
   * @param path directory of the dataset's shards
   * @throws org.mixtraining.config.UserException if a shard is missing
   */
  public static Map<Long, byte[]> of(
      Configuration hadoop, String path, DatasetManifest manifest, Split split, Set<Long> ids) {
    ImageSet images = new Shards(hadoop, path, manifest, split).find(ids);
    Map<Long, byte[]> thumbnails = new LinkedHashMap<>();
    for (int i = 0; i < images.size(); i++) {
      byte[] pixels = Preview.pixels(images, i);
      thumbnails.put(images.id(i), png(pixels, images.channels(), images.height(), images.width()));
    }
    return thumbnails;
  }

  /**
   * @param pixels uint8 [channels, height, width]; of other than 3 channels the first is shown, as
   *     grey
   */
  static BufferedImage image(byte[] pixels, int channels, int height, int width) {
    var image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    int area = height * width;
    for (int i = 0; i < area; i++) {
      int red = pixels[i] & 0xFF;
      int green = channels == 3 ? pixels[area + i] & 0xFF : red;
      int blue = channels == 3 ? pixels[2 * area + i] & 0xFF : red;
      image.setRGB(i % width, i / width, red << 16 | green << 8 | blue);
    }
    return image;
  }

  static byte[] png(byte[] pixels, int channels, int height, int width) {
    var png = new ByteArrayOutputStream();
    try {
      ImageIO.write(image(pixels, channels, height, width), "png", png);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot encode an image of the dataset", e);
    }
    return png.toByteArray();
  }
}
