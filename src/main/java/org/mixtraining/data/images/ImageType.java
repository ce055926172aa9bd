package org.mixtraining.data.images;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/** Image file formats, by file name extension and first bytes. */
public enum ImageType {
  JPEG(0, List.of("\u00ff\u00d8\u00ff"), "jpg", "jpeg", "jpe", "jfif", "mpo"),
  PNG(0, List.of("\u0089PNG\r\n\u001a\n"), "png", "apng"),
  GIF(0, List.of("GIF8"), "gif"),
  WEBP(8, List.of("WEBP"), "webp"),
  BMP(0, List.of("BM"), "bmp", "dib"),
  TIFF(0, List.of("II*\0", "MM\0*"), "tif", "tiff", "dng", "nef", "cr2", "arw"),
  HEIF(4, List.of("ftyphei", "ftypmif", "ftypavi"), "heic", "heif", "hif", "avif"),
  JPEG_2000(4, List.of("jP  "), "jp2", "j2k"),
  JPEG_XL(4, List.of("JXL "), "jxl");

  /** Number of first bytes by which a format is recognised. */
  public static final int START = 12;

  /**
   * Extensions of files that often lie beside images but are not images: notes, records, videos,
   * sounds, archives.
   */
  private static final Set<String> OTHERS =
      Set.of(
          ("txt md rst html htm pdf xml json jsonl yaml yml toml csv tsv xls xlsx log doc docx"
                  + " db ini lnk url npy npz mat pkl parquet py ipynb sh js css"
                  + " xmp aae thm mp4 mov avi mkv wav mp3 zip gz tar tgz bz2 xz 7z rar md5 sha1 sha256")
              .split(" "));

  private final int offset;
  private final List<String> starts;
  private final Set<String> endings;

  ImageType(int offset, List<String> starts, String... endings) {
    this.offset = offset;
    this.starts = starts;
    this.endings = Set.of(endings);
  }

  /** Whether a file with these first bytes is an image. */
  public static boolean isImage(byte[] file) {
    var start = new String(file, 0, Math.min(START, file.length), StandardCharsets.ISO_8859_1);
    return Arrays.stream(values())
        .anyMatch(type -> type.starts.stream().anyMatch(s -> start.startsWith(s, type.offset)));
  }

  /** Whether a file is an image, by its name; empty if the name is inconclusive. */
  public static Optional<Boolean> isImage(String name) {
    var ending = name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
    if (ending.length() == name.length()) {
      return Optional.empty();
    } else if (Arrays.stream(values()).anyMatch(type -> type.endings.contains(ending))) {
      return Optional.of(true);
    }
    return OTHERS.contains(ending) ? Optional.of(false) : Optional.empty();
  }
}
