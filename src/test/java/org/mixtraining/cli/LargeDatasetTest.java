package org.mixtraining.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.config.AugmentConfig;
import org.mixtraining.config.DataConfig.Cache;
import org.mixtraining.config.DataConfig.Caching;
import org.mixtraining.config.JobConfig;
import org.mixtraining.data.DatasetManifest;
import org.mixtraining.data.ImageBytes;
import org.mixtraining.data.ImageSet;
import org.mixtraining.data.Minibatches;
import org.mixtraining.data.Shards;
import org.mixtraining.data.Share;
import org.mixtraining.data.Split;

/**
 * Many photographs prepared and trained on in processes of little memory, which are killed once and
 * go on; prints what it took. After {@code mvn -q package -DskipTests}: {@code mvn surefire:test
 * -Dtest=LargeDatasetTest -Dexcluded.tags= -Dimages=50000}.
 */
@Tag("slow")
class LargeDatasetTest {
  private static final int IMAGES = Integer.getInteger("images", 50_000);
  private static final int CLASSES = 100;
  private static final Pattern DECODED = Pattern.compile("decoded (\\d+) of");
  private static final Pattern PEAK = Pattern.compile("VmHWM:\\s+(\\d+) kB");

  /** Of a heap of 1 GB: the code, the tables of the collector, and what the heap may grow to. */
  private static final long MOST_KB = 2_000_000;

  private static final int EXECUTORS = 2;
  private static final int EXECUTOR_MB = 700;

  @TempDir private static Path directory;

  /** A scene of smooth colours with some noise, of 300 x 240 pixels and 30 kB or so. */
  private static byte[] photograph(int number) {
    BufferedImage image = ImageBytes.image(BufferedImage.TYPE_INT_RGB, 300, 240, number);
    var random = new SplittableRandom(number);
    for (int i = 0; i < 300 * 240; i += 3) {
      image.setRGB(i % 300, i / 300, random.nextInt() & 0x3F3F3F | 0x404040);
    }
    return ImageBytes.encoded(image, "jpeg");
  }

  @BeforeAll
  static void drawAll() {
    IntStream.range(0, IMAGES).parallel().forEach(LargeDatasetTest::draw);
  }

  private static void draw(int number) {
    try {
      Path place =
          Files.createDirectories(directory.resolve("photographs/class" + number % CLASSES));
      Files.write(place.resolve(number + ".jpg"), photograph(number));
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  /** What a process said, and how it fared. */
  private record Ended(int exit, String said, long peakKb, double seconds) {}

  /**
   * @param data name of the dataset
   * @param stop number of decoded images at which it is killed
   */
  private static Ended prepare(String data, String storage, int stop) throws Exception {
    return run(
        "local[1]",
        said -> decoded(said) >= stop,
        "prepare",
        "-Ddata.format=folder",
        "-Ddata.source=" + directory.resolve("photographs"),
        "-Ddata.path=" + directory.resolve(data),
        "-Ddata.image-size=224",
        "-Ddata.storage=" + storage);
  }

  /**
   * @param data name of the dataset
   * @param stop epoch after which it is killed
   */
  private static Ended train(String data, String id, int stop) throws Exception {
    return run(
        "local-cluster[%s,1,%s]".formatted(EXECUTORS, EXECUTOR_MB),
        said -> said.contains("epoch %s/".formatted(stop)),
        "train",
        "-Drun.id=" + id,
        "-Drun.output=" + directory.resolve("runs"),
        "-Ddata.path=" + directory.resolve(data),
        "-Ddata.cache=none",
        "-Ddata.window=100",
        "-Dmodel.preset=vit-nano",
        "-Dmodel.patch=32",
        "-Dworkers.count=" + EXECUTORS,
        "-Depochs.ssl=2",
        "-Depochs.sl=2");
  }

  private static Ended run(String master, Predicate<String> stop, String... words)
      throws Exception {
    Path log = directory.resolve("log");
    List<String> command = new ArrayList<>(List.of("submit/mixtraining"));
    command.addAll(List.of(words));
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
    builder.environment().remove("SPARK_HOME"); // the embedded Spark
    builder.environment().put("MASTER", master);
    builder.environment().put("MIXTRAINING_DRIVER_MEMORY", "1g");
    long start = System.nanoTime();
    Process process = builder.start();
    long peak = 0;
    while (!process.waitFor(200, TimeUnit.MILLISECONDS)) {
      peak = Math.max(peak, peakKb(process.pid()));
      if (stop.test(Files.readString(log))) {
        process.destroyForcibly();
      }
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    return new Ended(process.exitValue(), Files.readString(log), peak, seconds);
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
    Ended killed = prepare("raw", "raw", IMAGES / 2);
    Ended raw = prepare("raw", "raw", Integer.MAX_VALUE);
    Ended smaller = prepare("smaller", "smaller", Integer.MAX_VALUE);

    System.out.println("| shards | images | seconds | peak resident MB | MB of shards |");
    System.out.println("|---|---|---|---|---|");
    for (String storage : List.of("raw", "smaller")) {
      Ended made = storage.equals("raw") ? raw : smaller;
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
    assertThat(raw.said()).contains("continues an interrupted prepare: ");
  }

  /** One run goes through; the other is killed after two epochs, and resumed. */
  @Test
  void executorsTrainOnMoreImagesThanTheirMemoryHoldsAndAKilledRunGoesOn() throws Exception {
    String data = "trained";
    Ended prepared = prepare(data, "raw", Integer.MAX_VALUE);
    assertThat(prepared.exit()).as(prepared.said()).isZero();
    Ended whole = train(data, "whole", Integer.MAX_VALUE);
    assertThat(whole.exit()).as(whole.said()).isZero();
    Ended killed = train(data, "killed", 2);
    assertThat(killed.exit()).as(killed.said()).isEqualTo(128 + 9);
    Ended resumed = train(data, "killed", Integer.MAX_VALUE);
    assertThat(resumed.exit()).as(resumed.said()).isZero();

    System.out.println(
        sql(
            "select run_id, epoch, executor, worker, images, peak_rss_bytes div 1000000 as peak_mb, off_heap_bytes div 1000000 as off_heap_mb, round(100 * wait_seconds / seconds, 1) as waiting_percent, round(images / seconds) as images_per_second from workers order by run_id, epoch, worker"));
    assertThat(sql("select count(distinct state_sha256) as states from runs"))
        .contains("\"states\":1");
  }

  /** What a GPU's images cost: they are read and decoded, and the device does the rest. */
  @Test
  void aCoreReadsAndDecodesSoManyImagesASecond() throws Exception {
    for (String storage : List.of("raw", "smaller")) {
      String data = "read-" + storage;
      Ended prepared = prepare(data, storage, Integer.MAX_VALUE);
      assertThat(prepared.exit()).as(prepared.said()).isZero();
      String path = directory.resolve(data).toString();
      DatasetManifest manifest = DatasetManifest.read(new Configuration(), path);
      ImageSet images =
          new Shards(new Configuration(), path, manifest, Split.TRAIN, new Caching(Cache.NONE, 100))
              .read(IntStream.range(0, manifest.shards()).toArray(), 1);
      Share share = Share.all(images, manifest.normalization());
      AugmentConfig.Images augment = JobConfig.load(Optional.empty(), List.of()).augment().ssl();
      Minibatches epoch =
          Minibatches.training(share, augment, 0, 0, 256, 1, Minibatches.Labels.NONE);
      long start = System.nanoTime();
      while (epoch.hasNext()) {
        assertThat(epoch.nextStored().pixels()).isNotEmpty();
      }
      System.out.printf(
          "%s: one thread reads %.0f images/s%n",
          storage, images.size() / ((System.nanoTime() - start) / 1e9));
    }
  }

  private static String sql(String query) throws Exception {
    Ended read =
        run(
            "local[1]",
            said -> false,
            "sql",
            "--quiet",
            "--json",
            "-Drun.output=" + directory.resolve("runs"),
            "-e",
            query);
    assertThat(read.exit()).as(read.said()).isZero();
    return read.said();
  }
}
