package org.mixtraining.data;

import com.twelvemonkeys.imageio.plugins.jpeg.JPEGImageReaderSpi;
import com.twelvemonkeys.imageio.stream.ByteArrayImageInputStream;
import java.awt.Rectangle;
import java.io.IOException;
import java.io.Serializable;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.Locale;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import javax.imageio.ImageIO;
import javax.imageio.ImageReadParam;
import javax.imageio.ImageReader;
import javax.imageio.spi.IIORegistry;
import javax.imageio.spi.ImageReaderSpi;

/**
 * Decodes JPEG and PNG files that lie in memory, whatever they hold: an image that is damaged, or
 * made to exhaust the machine, becomes {@link RawImage.Unusable}.
 *
 * @param side what the pictures will be scaled to; larger ones are thinned to at least four times
 *     as much while they are decoded, which bounds the memory that they take
 * @param maxPixels a file that declares more is not decoded
 */
record ImageDecoder(int side, int maxPixels) implements Serializable {
  /** A row of pixels is held whole; no JPEG has a longer one. */
  private static final int MOST_SIDE = 65_535;

  /** Each scan of a progressive JPEG goes over the whole image; encoders write about ten. */
  private static final int MOST_SCANS = 100;

  private static final int LONGEST_REASON = 200;
  private static final byte[] JPEG_START = {(byte) 0xFF, (byte) 0xD8, (byte) 0xFF};
  private static final byte[] PNG_START = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
  private static final int PNG_END = 'I' << 24 | 'E' << 16 | 'N' << 8 | 'D';
  private static final ImageReaderSpi JPEG = jpeg();
  private static final ImageReaderSpi PNG =
      ImageIO.getImageReadersByMIMEType("image/png").next().getOriginatingProvider();

  /** By hand: Java looks for plug-ins once a process, perhaps before our jar was added to it. */
  private static ImageReaderSpi jpeg() {
    var registry = IIORegistry.getDefaultInstance();
    registry.registerServiceProvider(new JPEGImageReaderSpi());
    return registry.getServiceProviderByClass(JPEGImageReaderSpi.class);
  }

  /** Says why an image is unusable. */
  private static final class Refusal extends IOException {
    private static final long serialVersionUID = 1L;

    Refusal(String reason) {
      super(reason);
    }
  }

  /** The image that a file holds. */
  RawImage image(String source, int label, byte[] file) {
    if (label == RawImage.UNLABELLED) {
      return new RawImage.Unusable(source, label, "has no label");
    }
    try {
      return new RawImage.Usable(source, label, decode(file));
    } catch (Refusal e) {
      return new RawImage.Unusable(source, label, e.getMessage());
    } catch (IOException | RuntimeException e) { // readers throw all kinds at damaged files
      return new RawImage.Unusable(source, label, "cannot be decoded: " + reason(e));
    }
  }

  private Picture decode(byte[] file) throws IOException {
    var reader = reader(file);
    try (var in = new ByteArrayImageInputStream(file)) {
      var damage = new ArrayList<String>();
      reader.addIIOReadWarningListener(
          (from, warning) -> {
            if (isDamage(warning)) {
              damage.add(warning);
            }
          });
      // Without metadata: a PNG's compressed texts are inflated without limit.
      reader.setInput(in, true, true);
      int width = reader.getWidth(0);
      int height = reader.getHeight(0);
      check(width, height);
      var image = reader.read(0, centre(reader.getDefaultReadParam(), width, height));
      if (!damage.isEmpty()) {
        throw new Refusal("damaged: " + damage.get(0));
      }
      return Picture.rgb(image);
    } finally {
      reader.dispose();
    }
  }

  private static ImageReader reader(byte[] file) throws IOException {
    if (file.length == 0) {
      throw new Refusal("empty: 0 bytes");
    } else if (startsWith(file, PNG_START)) {
      checkChunks(ByteBuffer.wrap(file).position(PNG_START.length));
      return PNG.createReaderInstance();
    } else if (!startsWith(file, JPEG_START)) {
      var start = HexFormat.ofDelimiter(" ").formatHex(file, 0, Math.min(8, file.length));
      throw new Refusal("neither JPEG nor PNG: begins with the bytes " + start);
    }
    long scans =
        IntStream.range(1, file.length)
            .filter(i -> file[i - 1] == (byte) 0xFF && file[i] == (byte) 0xDA)
            .count();
    if (scans > MOST_SCANS) {
      throw new Refusal(
          String.format(Locale.ROOT, "has %d scans, more than %d", scans, MOST_SCANS));
    }
    return JPEG.createReaderInstance();
  }

  /** A PNG's checksums, which the JDK's reader passes over, up to its end chunk. */
  private static void checkChunks(ByteBuffer file) throws Refusal {
    int type;
    do {
      int start = file.position();
      long length = file.remaining() < 3 * Integer.BYTES ? file.limit() : file.getInt();
      if (length < 0 || length > file.remaining() - 2 * Integer.BYTES) {
        throw new Refusal(
            String.format(Locale.ROOT, "damaged: the chunk at byte %d is incomplete", start));
      }
      type = file.getInt(file.position());
      var checksum = new CRC32();
      checksum.update(file.slice(file.position(), Integer.BYTES + (int) length));
      file.position(file.position() + Integer.BYTES + (int) length);
      boolean critical = (type >> 24 & 0x20) == 0; // a capital letter first
      if (file.getInt() != (int) checksum.getValue() && critical) {
        throw new Refusal(
            String.format(
                Locale.ROOT, "damaged: the chunk at byte %d has another checksum", start));
      }
    } while (type != PNG_END);
  }

  private static boolean startsWith(byte[] file, byte[] start) {
    return file.length >= start.length
        && IntStream.range(0, start.length).allMatch(i -> file[i] == start[i]);
  }

  private void check(int width, int height) throws Refusal {
    long pixels = (long) width * height;
    if (pixels > maxPixels) {
      throw new Refusal(
          String.format(
              Locale.ROOT,
              "declares %d x %d = %d pixels, more than data.max-pixels = %d",
              width,
              height,
              pixels,
              maxPixels));
    }
    if (width > MOST_SIDE || height > MOST_SIDE) {
      throw new Refusal(
          String.format(
              Locale.ROOT,
              "declares %d x %d pixels, more than %d in a row or column",
              width,
              height,
              MOST_SIDE));
    }
  }

  /** The centre square, every n-th row and column of it if it is much larger than needed. */
  private ImageReadParam centre(ImageReadParam param, int width, int height) {
    int square = Math.min(width, height);
    param.setSourceRegion(
        new Rectangle((width - square) / 2, (height - square) / 2, square, square));
    int step = Math.max(1, square / (4 * side));
    param.setSourceSubsampling(step, step, 0, 0);
    return param;
  }

  /** What libjpeg says when it made up the rest of an image; junk between segments is harmless. */
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
