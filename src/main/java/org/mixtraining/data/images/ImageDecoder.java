package org.mixtraining.data.images;

import com.twelvemonkeys.imageio.plugins.jpeg.JPEGImageReaderSpi;
import com.twelvemonkeys.imageio.stream.ByteArrayImageInputStream;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.concurrent.Semaphore;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import javax.imageio.spi.IIORegistry;
import javax.imageio.spi.ImageReaderSpi;

/**
 * Decoder of untrusted JPEG and PNG files in memory: an image that is damaged, or made to exhaust
 * the machine, becomes {@link RawImage.Unusable}.
 *
 * @param side what the pictures will be scaled to; of larger ones the mean of every n by n pixels
 *     is taken first, to at least four times as much
 * @param maxPixels a file that declares more is not decoded
 */
public record ImageDecoder(int side, int maxPixels) implements Serializable {
  /** A row of pixels is held whole; no JPEG has a longer one. */
  private static final int MOST_SIDE = 65_535;

  /** KiB of the heap that all threads' images may take while they are decoded: a third of it. */
  private static final int ROOM =
      (int) Math.min(Integer.MAX_VALUE, Runtime.getRuntime().maxMemory() / 3 / 1024);

  private static final Semaphore FREE = new Semaphore(ROOM, true);
  private static final int LONGEST_REASON = 200;
  private static final ImageReaderSpi JPEG = jpeg();
  private static final ImageReaderSpi PNG =
      ImageIO.getImageReadersByMIMEType("image/png").next().getOriginatingProvider();

  /** By hand: Java looks for plug-ins once a process, perhaps before our jar was added to it. */
  private static ImageReaderSpi jpeg() {
    var registry = IIORegistry.getDefaultInstance();
    registry.registerServiceProvider(new JPEGImageReaderSpi());
    return registry.getServiceProviderByClass(JPEGImageReaderSpi.class);
  }

  /** The image that a file holds. */
  public RawImage image(String source, int label, byte[] file) {
    if (label == RawImage.UNLABELLED) {
      return new RawImage.Unusable(source, label, "has no label");
    }
    try {
      return new RawImage.Usable(source, label, null, null, decode(file), file);
    } catch (Refusal e) {
      return new RawImage.Unusable(source, label, e.getMessage());
    } catch (IOException | RuntimeException e) { // readers throw all kinds at damaged files
      return new RawImage.Unusable(source, label, "cannot be decoded: " + reason(e));
    }
  }

  /**
   * The pixels of a file that could be decoded when it was prepared, as an image is stored that is
   * kept without its file.
   *
   * @param name of the image, for messages
   * @return uint8, [channels, side, side]
   * @throws IllegalArgumentException if the file was damaged since
   */
  public byte[] pixels(String name, byte[] file, int channels) {
    if (image(name, RawImage.NONE_NEEDED, file) instanceof RawImage.Usable usable) {
      return usable.picture().scaled(side).in(channels).pixels();
    }
    throw new IllegalArgumentException(
        name + ": its file in the shard was damaged since it was prepared");
  }

  private Picture decode(byte[] file) throws IOException {
    if (file.length == 0) {
      throw new Refusal("empty: 0 bytes");
    } else if (startsWith(file, PngChunks.START)) {
      return decode(PNG, PngChunks.bare(file));
    } else if (startsWith(file, JpegSegments.START)) {
      return decode(JPEG, JpegSegments.bare(file));
    }
    var start = HexFormat.ofDelimiter(" ").formatHex(file, 0, Math.min(8, file.length));
    throw new Refusal(
        "neither JPEG nor PNG"
            + FileKind.of(file)
                .map(kind -> " but " + kind)
                .orElse(": begins with the bytes " + start));
  }

  private Picture decode(ImageReaderSpi format, BareFile file) throws IOException {
    var reader = format.createReaderInstance();
    try (var in = new ByteArrayImageInputStream(file.bytes())) {
      var damage = new ArrayList<String>();
      reader.addIIOReadWarningListener(
          (from, warning) -> {
            if (isDamage(warning)) {
              damage.add(warning);
            }
          });
      reader.setInput(in, true, true);
      int width = reader.getWidth(0);
      int height = reader.getHeight(0);
      check(width, height);
      int room = (int) Math.min((long) width * height * file.pixelBytes() / 1024 + 1, ROOM);
      FREE.acquireUninterruptibly(room);
      try {
        // Whole: the readers' own regions and thinning are wrong for some files, and alias.
        var image = reader.read(0);
        if (!damage.isEmpty()) {
          throw new Refusal("damaged: " + damage.get(0));
        }
        int step = Math.max(1, Math.min(width, height) / (4 * side));
        return Picture.square(image, file.orientation(), step);
      } finally {
        FREE.release(room);
      }
    } finally {
      reader.dispose();
    }
  }

  private static boolean startsWith(byte[] file, byte[] start) {
    return file.length >= start.length
        && IntStream.range(0, start.length).allMatch(i -> file[i] == start[i]);
  }

  private void check(int width, int height) throws Refusal {
    long pixels = (long) width * height;
    if (pixels > maxPixels) {
      throw new Refusal(
          "declares %s x %s = %s pixels, more than mixtraining.data.max-pixels = %s"
              .formatted(width, height, pixels, maxPixels));
    }
    if (width > MOST_SIDE || height > MOST_SIDE) {
      throw new Refusal(
          "declares %s x %s pixels, more than %s in a row or column"
              .formatted(width, height, MOST_SIDE));
    }
  }

  /**
   * Whether it is libjpeg's warning that it made up the rest of an image; junk between segments is
   * harmless.
   */
  private static boolean isDamage(String warning) {
    return !warning.contains("extraneous")
        && Stream.of("Corrupt", "Truncated", "Premature").anyMatch(warning::contains);
  }

  /** One line, the same for the same file wherever it is read. */
  private static String reason(Exception e) {
    var text = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    text = text.replaceAll("@[0-9a-f]+", "").replaceAll("[\\s\\p{Cntrl}]+", " ").strip();
    return text.substring(0, Math.min(LONGEST_REASON, text.length()));
  }
}
