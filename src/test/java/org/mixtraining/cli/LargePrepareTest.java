package org.mixtraining.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.data.DatasetManifest;
import org.mixtraining.data.ImageBytes;
import org.mixtraining.data.Split;

/**
 * Many photographs prepared in a process of little memory, which is killed once and goes on; prints
 * what it took. After {@code mvn -q package -DskipTests}: {@code mvn surefire:test
 * -Dtest=LargePrepareTest -Dexcluded.tags= -Dimages=50000}.
 */
@Tag("slow")
class LargePrepareTest {
  private static final int IMAGES = Integer.getInteger("images", 50_000);
  private static final int CLASSES = 100;
  private static final Pattern DECODED = Pattern.compile("decoded (\\d+) of");
  private static final Pattern PEAK = Pattern.compile("VmHWM:\\s+(\\d+) kB");

  /** Of a heap of 1 GB: the code, the tables of the collector, and what the heap may grow to. */
  private static final long MOST_KB = 2_000_000;

  @TempDir private Path directory;

  /** A scene of smooth colours with some noise, of 300 x 240 pixels and 30 kB or so. */
  private static byte[] photograph(int number) {
    BufferedImage image = ImageBytes.image(BufferedImage.TYPE_INT_RGB, 300, 240, number);
    var random = new SplittableRandom(number);
    for (int i = 0; i < 300 * 240; i += 3) {
      image.setRGB(i % 300, i / 300, random.nextInt() & 0x3F3F3F | 0x404040);
    }
    return ImageBytes.encoded(image, "jpeg");
  }

  private void draw(int number) {
    try {
      Path place =
          Files.createDirectories(directory.resolve("photographs/class" + number % CLASSES));
      Files.write(place.resolve(number + ".jpg"), photograph(number));
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  /** What a process said, and how it fared. */
  private record Prepared(int exit, String said, long peakKb, double seconds) {}

  /**
   * @param stop number of decoded images at which it is killed
   */
  private Prepared prepare(String storage, int stop) throws Exception {
    Path log = directory.resolve("log");
    List<String> words = new ArrayList<>(List.of("submit/mixtraining", "prepare"));
    for (String setting :
        List.of(
            "data.format=folder",
            "data.source=" + directory.resolve("photographs"),
            "data.path=" + directory.resolve(storage),
            "data.image-size=224",
            "data.storage=" + storage)) {
      words.addAll(List.of("-D", setting));
    }
    ProcessBuilder builder =
        new ProcessBuilder(words).redirectErrorStream(true).redirectOutput(log.toFile());
    builder.environment().remove("SPARK_HOME"); // the embedded Spark
    builder.environment().put("MASTER", "local[1]");
    builder.environment().put("MIXTRAINING_DRIVER_MEMORY", "1g");
    long start = System.nanoTime();
    Process process = builder.start();
    long peak = 0;
    while (!process.waitFor(200, TimeUnit.MILLISECONDS)) {
      peak = Math.max(peak, peakKb(process.pid()));
      if (decoded(Files.readString(log)) >= stop) {
        process.destroyForcibly();
      }
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    return new Prepared(process.exitValue(), Files.readString(log), peak, seconds);
  }

  private static long peakKb(long pid) {
    try {
      Matcher peak = PEAK.matcher(Files.readString(Path.of("/proc", "" + pid, "status")));
      return peak.find() ? Long.parseLong(peak.group(1)) : 0;
    } catch (IOException e) { // it is over
      return 0;
    }
  }

  private static long decoded(String said) {
    return DECODED
        .matcher(said)
        .results()
        .mapToLong(r -> Long.parseLong(r.group(1)))
        .max()
        .orElse(0);
  }

  @Test
  void manyPhotographsNeedLittleMemoryAndAKilledProcessGoesOn() throws Exception {
    IntStream.range(0, IMAGES).parallel().forEach(this::draw);
    Prepared killed = prepare("raw", IMAGES / 2);
    Prepared raw = prepare("raw", Integer.MAX_VALUE);
    Prepared smaller = prepare("smaller", Integer.MAX_VALUE);

    System.out.println("| shards | images | seconds | peak resident MB | MB of shards |");
    System.out.println("|---|---|---|---|---|");
    for (String storage : List.of("raw", "smaller")) {
      Prepared made = storage.equals("raw") ? raw : smaller;
      assertThat(made.exit()).as(made.said()).isZero();
      DatasetManifest manifest =
          DatasetManifest.read(new Configuration(), directory.resolve(storage).toString());
      System.out.printf(
          "| %s | %d | %.0f | %d | %d |%n",
          storage, IMAGES, made.seconds(), made.peakKb() / 1000, manifest.bytes() / 1_000_000);
      assertThat(List.of(Split.values()).stream().mapToLong(manifest::images).sum())
          .isEqualTo(IMAGES);
      assertThat(made.peakKb()).isLessThan(MOST_KB);
    }
    System.out.printf(
        "killed after %.0f s with %d images decoded; the next said: %s%n",
        killed.seconds(),
        decoded(killed.said()),
        raw.said().lines().filter(line -> line.contains("goes on")).findFirst().orElse("nothing"));
    assertThat(raw.said()).contains("goes on where a process was killed: ");
  }
}
