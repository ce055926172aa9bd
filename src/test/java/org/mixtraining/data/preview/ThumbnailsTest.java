package org.mixtraining.data.preview;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import javax.imageio.ImageIO;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.config.JobConfig;
import org.mixtraining.data.DatasetManifest;
import org.mixtraining.data.ImageSet;
import org.mixtraining.data.RawFiles;
import org.mixtraining.data.Shards;
import org.mixtraining.data.Split;
import org.mixtraining.data.prepare.Prepare;

class ThumbnailsTest {
  private static final Configuration HADOOP = new Configuration();

  @TempDir static Path directory;
  private static DatasetManifest manifest;

  @BeforeAll
  static void prepare() {
    var config =
        JobConfig.load(
            Optional.empty(),
            List.of(
                "data.path=" + directory.resolve("drawn"),
                "data.synthetic={train = 20, test = 12}",
                "data.validation=0",
                "data.shards=2"));
    Prepare.run(RawFiles.spark(), config.data(), Prepare.Existing.REFUSE, line -> {});
    manifest = DatasetManifest.read(HADOOP, config.data().path());
  }

  private static String path() {
    return directory.resolve("drawn").toString();
  }

  private static BufferedImage image(byte[] png) throws IOException {
    return ImageIO.read(new ByteArrayInputStream(png));
  }

  @Test
  void theImagesThatAreAskedForAreShownPixelForPixel() throws IOException {
    ImageSet all = new Shards(HADOOP, path(), manifest, Split.TEST).read(new int[] {0, 1}, 1);
    long first = all.id(3);
    long second = all.id(8);
    long training = new Shards(HADOOP, path(), manifest, Split.TRAIN).read(new int[] {0}, 1).id(0);

    var shown =
        Thumbnails.of(HADOOP, path(), manifest, Split.TEST, Set.of(second, first, training));

    assertThat(shown.keySet()).containsExactly(first, second);
    byte[] pixels = Preview.pixels(all, 8);
    BufferedImage image = image(shown.get(second));
    int area = image.getWidth() * image.getHeight();
    assertThat(area).isEqualTo(32 * 32);
    for (int i = 0; i < area; i++) {
      int rgb = image.getRGB(i % 32, i / 32) & 0xFFFFFF;
      assertThat(rgb)
          .isEqualTo(
              (pixels[i] & 0xFF) << 16
                  | (pixels[area + i] & 0xFF) << 8
                  | pixels[2 * area + i] & 0xFF);
    }
  }

  @Test
  void noneAskedForIsNone() {
    assertThat(Thumbnails.of(HADOOP, path(), manifest, Split.TEST, Set.of())).isEmpty();
  }

  @Test
  void oneChannelIsGrey() throws IOException {
    BufferedImage grey = image(Thumbnails.png(new byte[] {0, 127, (byte) 255, 1}, 1, 2, 2));

    assertThat(grey.getRGB(1, 0) & 0xFFFFFF).isEqualTo(0x7F7F7F);
    assertThat(grey.getRGB(0, 1) & 0xFFFFFF).isEqualTo(0xFFFFFF);
  }
}
