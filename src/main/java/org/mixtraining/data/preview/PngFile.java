package org.mixtraining.data.preview;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.imageio.ImageIO;
import org.mixtraining.config.UserException;

/**
 * A PNG file that a command writes.
 *
 * @param option the command's option that names it
 */
record PngFile(String option, Path path) {

  /**
   * @throws UserException if its directory does not exist
   */
  PngFile {
    if (!Files.isDirectory(path.toAbsolutePath().getParent()) || Files.isDirectory(path)) {
      throw new UserException(
          "%s %s: must be a file in a directory that exists".formatted(option, path));
    }
  }

  /**
   * @throws UserException if it cannot be written
   */
  void write(ContactSheet sheet) {
    var png = new ByteArrayOutputStream();
    try {
      ImageIO.write(sheet.paint(option), "png", png);
      Files.write(path, png.toByteArray());
    } catch (IOException e) {
      throw new UserException("%s %s: cannot be written: %s".formatted(option, path, e));
    }
  }
}
