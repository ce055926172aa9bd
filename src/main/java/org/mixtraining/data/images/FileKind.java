package org.mixtraining.data.images;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Formats other than JPEG and PNG that occur under the names .jpg and .png, recognised by their
 * first bytes.
 */
final class FileKind {
  private static final int LONGEST_START = 64;

  private record Known(String name, Pattern start) {
    Known(String name, String start) {
      this(name, Pattern.compile(start, Pattern.DOTALL));
    }
  }

  private static final List<Known> KNOWN =
      List.of(
          new Known("GIF", "GIF8[79]a"),
          new Known("WebP", "RIFF.{4}WEBP"),
          new Known("AVIF", ".{4}ftyp.*avi[fs]"),
          new Known("HEIC", ".{4}ftyp.*(hei[cfmsx]|hev[cmsx]|mif1|msf1)"),
          new Known("a video (MP4, QuickTime)", ".{4}(ftyp|moov|mdat)"),
          new Known("TIFF or a camera's raw file", "II\\*\0|MM\0\\*|II[RU]."),
          new Known("BMP", "BM.{4}\0{4}"),
          new Known("JPEG XL", "\u00ff\n|\0{3}\fJXL "),
          new Known("JPEG 2000", "\u00ffO\u00ffQ|\0{3}\fjP  "),
          new Known("Photoshop's PSD", "8BPS"),
          new Known("a Windows icon", "\0\0[\1\2]\0"),
          new Known("PDF", "%PDF-"),
          new Known("a zip archive", "PK\3\4"),
          new Known("gzipped", "\u001f\u008b"),
          new Known("a Git LFS pointer (`git lfs pull` fetches the image)", "version https://git"),
          new Known("SVG, HTML or other XML", "(\u00ef\u00bb\u00bf)?\\s*<[?!a-zA-Z]"));

  private FileKind() {}

  static Optional<String> of(byte[] file) {
    var start =
        new String(file, 0, Math.min(LONGEST_START, file.length), StandardCharsets.ISO_8859_1);
    return KNOWN.stream()
        .filter(kind -> kind.start().matcher(start).lookingAt())
        .map(Known::name)
        .findFirst();
  }
}
