package org.mixtraining.data.preview;

import java.util.List;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.mixtraining.config.UserException;
import org.mixtraining.data.DatasetManifest;
import org.mixtraining.data.ImageSet;
import org.mixtraining.data.Minibatch;
import org.mixtraining.data.Minibatches;
import org.mixtraining.data.Split;

/**
 * Reconstructions of some test images by a masked autoencoder: original, visible patches and
 * completed image; drawn on a {@link ReconstructionSheet}, or as single pictures.
 */
public final class Completions {
  private final ImageSet images;
  private final DatasetManifest manifest;

  /**
   * @param path directory of the dataset's shards
   * @throws UserException if there are no test images
   */
  public Completions(Configuration hadoop, String path, DatasetManifest manifest) {
    if (manifest.labelled(Split.TEST, 1) == 0) {
      throw new UserException("the dataset at %s has no labelled test images".formatted(path));
    }
    this.images = Preview.choice(hadoop, path, manifest, Split.TEST);
    this.manifest = manifest;
  }

  /** The images shown. */
  public Minibatch images() {
    return Minibatches.evaluation(images, manifest.normalization(), 1, images.size()).next();
  }

  /**
   * One image three times, as PNG.
   *
   * @param label name of its class
   */
  public record Completion(String label, byte[] original, byte[] seen, byte[] completed) {}

  /**
   * The pictures.
   *
   * @param seen the {@link #images}, [images, channels, height, width] and normalised, with masked
   *     patches blank; images of one channel may have become coloured
   * @param completed the same with the predicted masked patches
   */
  public List<Completion> pictures(float[] seen, float[] completed) {
    int channels = channels(seen);
    return IntStream.range(0, images.size())
        .mapToObj(
            i ->
                new Completion(
                    label(i),
                    png(original(i, channels), channels),
                    png(pixels(seen, i), channels),
                    png(pixels(completed, i), channels)))
        .toList();
  }

  int size() {
    return images.size();
  }

  int height() {
    return images.height();
  }

  int width() {
    return images.width();
  }

  int channels(float[] shown) {
    return shown.length / images.size() / area();
  }

  String label(int i) {
    return manifest.classes().get(images.label(i));
  }

  /** Image i of the reconstructions, as displayable pixels. */
  byte[] pixels(float[] shown, int i) {
    return Preview.pixels(shown, i, channels(shown), area(), manifest.normalization());
  }

  /** The original in as many channels as the model has. */
  byte[] original(int i, int channels) {
    byte[] own = Preview.pixels(images, i);
    byte[] shown = new byte[own.length / images.channels() * channels];
    for (int at = 0; at < shown.length; at += own.length) {
      System.arraycopy(own, 0, shown, at, own.length);
    }
    return shown;
  }

  private int area() {
    return images.height() * images.width();
  }

  private byte[] png(byte[] pixels, int channels) {
    return Thumbnails.png(pixels, channels, images.height(), images.width());
  }
}
