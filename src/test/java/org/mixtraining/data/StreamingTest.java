package org.mixtraining.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.mixtraining.config.AugmentConfig;
import org.mixtraining.config.DataConfig.Cache;
import org.mixtraining.config.DataConfig.Caching;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.UserException;
import org.mixtraining.data.DatasetManifest.Contents;
import org.mixtraining.data.Minibatches.Labels;
import org.mixtraining.kernels.WorkerThreads;

/** 9000 images of 3 kB in 2 shards of 45 row groups; a window of 1 MB holds 3 of these. */
class StreamingTest {
  private static final int IMAGES = 9000;
  private static final int CLASSES = 10;
  private static final int SIDE = 32;
  private static final int SHARDS = 2;
  private static final int ROW_GROUP = 100;
  private static final int IMAGE_BYTES = 3 * SIDE * SIDE;
  private static final String COLUMNS =
      "optional int64 id; optional binary pixels; optional int32 label; optional double quantile;";
  private static final AugmentConfig.Images PLAIN =
      JobConfig.load(
              Optional.empty(), List.of("augment.sl.crop-padding=0", "augment.sl.flip=false"))
          .augment()
          .sl();

  private static final Map<Integer, ImageSet> MEMORY = new HashMap<>();

  @TempDir static Path directory;

  @BeforeAll
  static void writeShards() throws IOException {
    for (int shard = 0; shard < SHARDS; shard++) {
      write(directory, shard, IMAGES, IMAGE_BYTES);
    }
  }

  /** Every second image, in order of the quantiles, as prepare writes them. */
  private static void write(Path dataset, int shard, int images, int imageBytes)
      throws IOException {
    List<Object[]> rows = new ArrayList<>();
    for (int i = shard; i < images; i += SHARDS) {
      double quantile = (i / CLASSES + 0.5) / (images / CLASSES);
      rows.add(new Object[] {id(i), pixels(id(i), imageBytes), i % CLASSES, quantile});
    }
    Path file = dataset.resolve("images/split=train/shard=" + shard + "/a.parquet");
    Files.createDirectories(file.getParent());
    Files.write(file, Parquet.rows(COLUMNS, "", rows));
  }

  /** Ids whose order is not that of the file. */
  private static long id(int i) {
    return i * 7L % IMAGES;
  }

  private static byte[] pixels(long id, int imageBytes) {
    byte[] pixels = new byte[imageBytes];
    new SplittableRandom(id).nextBytes(pixels);
    return pixels;
  }

  private static DatasetManifest manifest(int images, int side) {
    List<Long> histogram =
        IntStream.range(0, CLASSES).mapToObj(c -> (long) images / CLASSES).toList();
    Contents none = Contents.of(IntStream.range(0, CLASSES).mapToObj(c -> 0L).toList(), 0);
    return new DatasetManifest(
        "folder",
        "label",
        IntStream.range(0, CLASSES).mapToObj(c -> "c" + c).toList(),
        3,
        side,
        side,
        SHARDS,
        1,
        0,
        0,
        Map.of(Split.TRAIN, Contents.of(histogram, 0), Split.VALIDATION, none, Split.TEST, none),
        0,
        new Normalization(List.of(0.0, 0.0, 0.0), List.of(1.0, 1.0, 1.0)),
        "f",
        1,
        List.of());
  }

  private static ImageSet images(Cache cache, int window) {
    return images(cache, window, 1);
  }

  private static ImageSet images(Cache cache, int window, double fraction) {
    return images(directory, cache, window, fraction);
  }

  /** All images in memory, read once for all tests. */
  private static ImageSet inMemory(int window) {
    return MEMORY.computeIfAbsent(window, w -> images(Cache.MEMORY, w));
  }

  private static ImageSet images(Path dataset, Cache cache, int window, double fraction) {
    return new Shards(
            new Configuration(),
            dataset.toString(),
            manifest(IMAGES, SIDE),
            Split.TRAIN,
            new Caching(cache, window))
        .read(new int[] {0, 1}, fraction);
  }

  private static Minibatches epoch(ImageSet images, int epoch, double labels, Labels kind) {
    Share all = Share.all(images, manifest(IMAGES, SIDE).normalization());
    return Minibatches.training(all, PLAIN, 7, epoch, 64, labels, kind);
  }

  private static List<Long> ids(Minibatches batches) {
    List<Long> ids = new ArrayList<>();
    batches.forEachRemaining(batch -> Arrays.stream(batch.ids()).forEach(ids::add));
    return ids;
  }

  private static void assertSame(Minibatches one, Minibatches other) {
    while (one.hasNext()) {
      Minibatch expected = one.next();
      Minibatch batch = other.next();
      assertThat(batch.ids()).isEqualTo(expected.ids());
      assertThat(batch.labels()).isEqualTo(expected.labels());
      assertThat(batch.pixels()).isEqualTo(expected.pixels());
    }
    assertThat(other.hasNext()).isFalse();
  }

  // --- memory ------------------------------------------------------------------------------------

  /** 27.6 MB in 90 row groups, of which 8 are kept: 2.5 MB. */
  @Test
  @Tag("cluster")
  void aShareTenTimesTheMemoryIsTakenAsItIs() throws Exception {
    assumeTrue(
        Files.exists(Path.of("target/mixtraining.jar")),
        "needs target/mixtraining.jar and target/spark, which mvn verify makes");
    assertThat(inLittleMemory(Cache.NONE)).isEqualTo("9000 images, 9000 images, 9000 images");
    assertThat(inLittleMemory(Cache.DISK)).isEqualTo("9000 images, 9000 images, 9000 images");
    assertThat(inLittleMemory(Cache.MEMORY)).startsWith("java.lang.OutOfMemoryError: ");
  }

  /** What another process with 2.7 MB for images says of three epochs. */
  private static String inLittleMemory(Cache cache) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                "java",
                "-Xmx64m",
                "-XX:MaxDirectMemorySize=2700k",
                "-cp",
                "target/test-classes:target/mixtraining.jar:target/spark/jars/*",
                StreamingTest.class.getName(),
                directory.toString(),
                cache.name())
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    try (var lines = process.inputReader()) {
      List<String> said = lines.lines().toList();
      assertThat(process.waitFor()).isZero();
      return said.get(said.size() - 1);
    }
  }

  /** The other process: takes every image of three epochs, and says how many were right. */
  public static void main(String[] words) {
    try {
      ImageSet images = images(Path.of(words[0]), Cache.valueOf(words[1]), 1, 1);
      System.out.println(
          IntStream.range(0, 3)
              .mapToObj(epoch -> right(epoch(images, epoch, 1, Labels.ALL)) + " images")
              .collect(Collectors.joining(", ")));
    } catch (OutOfMemoryError e) {
      System.out.println(e);
    }
  }

  /** How many different images there are whose pixels are theirs. */
  private static int right(Minibatches batches) {
    float[] values = manifest(IMAGES, SIDE).normalization().tables()[0];
    Set<Long> seen = new HashSet<>();
    while (batches.hasNext()) {
      Minibatch batch = batches.next();
      for (int n = 0; n < batch.size(); n++) {
        byte[] pixels = pixels(batch.ids()[n], IMAGE_BYTES);
        int from = n * IMAGE_BYTES;
        if (IntStream.range(0, IMAGE_BYTES)
            .allMatch(p -> batch.pixels()[from + p] == values[pixels[p] & 0xFF])) {
          seen.add(batch.ids()[n]);
        }
      }
    }
    return seen.size();
  }

  @Test
  void imagesOnDiskHaveNoNameAndSurviveAnInterruption() throws IOException {
    ImageSet images = images(Cache.DISK, 0);
    try (var files = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .noneMatch(name -> name.startsWith("mixtraining-images"));
    }
    byte[] pixels = new byte[IMAGE_BYTES];
    for (int turn = 0; turn < 20; turn++) {
      Thread.currentThread().interrupt(); // as the end of a task does
      images.read(turn, pixels);
      assertThat(Thread.interrupted()).isTrue();
      assertThat(pixels).isEqualTo(pixels(images.id(turn), IMAGE_BYTES));
    }
  }

  @Test
  void aDiskThatIsTooSmallIsNamed() {
    assertThatThrownBy(() -> new DiskStore(directory.toFile(), Integer.MAX_VALUE, 1 << 30))
        .isInstanceOf(UserException.class)
        .hasMessageMatching(
            "mixtraining.data.cache = disk: needs 2305843008139 MB of .*, which has \\d+ MB left; give spark.local.dir a larger disk, or set mixtraining.data.cache = none");
  }

  @Test
  void aWindowThatHoldsNoRowGroupIsRefused(@TempDir Path large) throws IOException {
    for (int shard = 0; shard < SHARDS; shard++) {
      write(large, shard, 400, 3 * 64 * 64);
    }
    Shards shards =
        new Shards(
            new Configuration(),
            large.toString(),
            manifest(400, 64),
            Split.TRAIN,
            new Caching(Cache.NONE, 1));
    assertThatThrownBy(() -> shards.read(new int[] {0, 1}, 1))
        .isInstanceOf(UserException.class)
        .hasMessage(
            "mixtraining.data.window = 1: must hold a row group of %s, up to 2 MB; set at least that, or prepare the images again in another mixtraining.data.path, which makes row groups of 8 MB",
            large);
  }

  // --- bits --------------------------------------------------------------------------------------

  @ParameterizedTest
  @EnumSource
  void noBitDependsOnWhereImagesAreKept(Labels kind) {
    for (Cache cache : List.of(Cache.DISK, Cache.NONE)) {
      assertSame(epoch(inMemory(1), 0, 0.3, kind), epoch(images(cache, 1), 0, 0.3, kind));
    }
  }

  @ParameterizedTest
  @EnumSource
  void aWindowThatHoldsTheShareIsTheWholeShare(Labels kind) {
    ImageSet whole = inMemory(0);
    ImageSet streamed = images(Cache.NONE, 28); // 27.6 MB
    assertSame(epoch(whole, 2, 0.3, kind), epoch(streamed, 2, 0.3, kind));
    Normalization normalization = manifest(IMAGES, SIDE).normalization();
    assertSame(
        Minibatches.evaluation(whole, normalization, 1, 64),
        Minibatches.evaluation(streamed, normalization, 1, 64));
  }

  @ParameterizedTest
  @CsvSource({"ALL, 1", "ALL, 0.1", "APART, 0.1", "NONE, 1", "LABELLED_ONLY, 0.5"})
  void anEpochThatGoesOnAtAStepIsThatWhichBeganBefore(Labels kind, double labels) {
    Minibatches whole = epoch(inMemory(1), 1, labels, kind);
    List<float[]> pixels = new ArrayList<>();
    whole.forEachRemaining(batch -> pixels.add(batch.pixels()));
    for (int from : new int[] {1, 20, whole.steps() - 1}) {
      Minibatches rest = epoch(images(Cache.NONE, 1), 1, labels, kind);
      rest.skipTo(from);
      for (int step = from; step < whole.steps(); step++) {
        assertThat(rest.next().pixels()).isEqualTo(pixels.get(step));
      }
    }
  }

  /** Two passes and four threads that take each other's row groups away. */
  @Test
  void severalReadersAtOnceGetTheSameBits() {
    ImageSet images = images(Cache.NONE, 1);
    ImageSet memory = inMemory(1);
    try (WorkerThreads one = new WorkerThreads(4);
        WorkerThreads other = new WorkerThreads(4)) {
      Minibatches first = epoch(images, 0, 1, Labels.ALL).preparedBy(one);
      Minibatches second = epoch(images, 5, 1, Labels.ALL).preparedBy(other);
      Minibatches expected = epoch(memory, 0, 1, Labels.ALL);
      Minibatches others = epoch(memory, 5, 1, Labels.ALL);
      for (int step = 0; step < 20; step++) {
        assertThat(first.next().pixels()).isEqualTo(expected.next().pixels());
        assertThat(second.next().pixels()).isEqualTo(others.next().pixels());
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"DISK", "NONE"})
  void imagesForADeviceAreReadByTheThreadsThatPrepareThem(Cache cache) {
    Minibatches memory = epoch(inMemory(1), 0, 1, Labels.ALL);
    try (WorkerThreads threads = new WorkerThreads(3)) {
      Minibatches kept = epoch(images(cache, 1), 0, 1, Labels.ALL).preparedBy(threads);
      for (int step = 0; step < 20; step++) {
        StoredMinibatch batch = kept.nextStored();
        StoredMinibatch expected = memory.nextStored();
        assertThat(batch.ids()).isEqualTo(expected.ids());
        assertThat(batch.ops()).isEqualTo(expected.ops());
        assertThat(expected.pixels()).as("of images in memory").isEmpty();
        byte[] all = new byte[batch.size() * IMAGE_BYTES];
        for (int n = 0; n < batch.size(); n++) {
          byte[] image = pixels(batch.ids()[n], IMAGE_BYTES);
          System.arraycopy(image, 0, all, n * IMAGE_BYTES, IMAGE_BYTES);
        }
        assertThat(batch.pixels()).isEqualTo(all);
      }
    }
  }

  // --- order -------------------------------------------------------------------------------------

  @Test
  void aWindowIsOfRowGroupsThatEachEpochMixesAnew() {
    ImageSet images = images(Cache.NONE, 1);
    Set<Set<Integer>> windows = new HashSet<>();
    for (int epoch = 0; epoch < 3; epoch++) {
      List<Long> order = ids(epoch(images, epoch, 1, Labels.ALL));
      assertThat(order).hasSize(IMAGES).doesNotHaveDuplicates();
      for (int at = 0; at < IMAGES; at += 3 * ROW_GROUP) {
        List<Integer> groups = groups(images, order.subList(at, at + 3 * ROW_GROUP));
        windows.add(new HashSet<>(groups));
        assertThat(new HashSet<>(groups)).hasSize(3);
        assertThat(new HashSet<>(groups.subList(0, 30))).as("mixed").hasSize(3);
      }
    }
    assertThat(windows).as("of 3 times 30").hasSizeGreaterThan(85);
  }

  /** Labelled images lie in the first row groups of each shard, and are taken all epoch long. */
  @Test
  void labelledImagesAndOthersShareTheWindow() {
    ImageSet images = images(Cache.NONE, 2);
    Minibatches batches = epoch(images, 0, 0.3, Labels.ALL);
    while (batches.hasNext()) {
      Minibatch batch = batches.next();
      List<Long> ids = Arrays.stream(batch.ids()).boxed().toList();
      assertThat(new HashSet<>(groups(images, ids))).hasSizeLessThanOrEqualTo(2 * 7);
      assertThat(Arrays.stream(batch.labels()).filter(l -> l != Minibatch.UNLABELLED).count())
          .isBetween(18L, 20L);
    }
  }

  private static List<Integer> groups(ImageSet images, List<Long> ids) {
    return ids.stream().map(id -> images.group(id.intValue())).toList();
  }

  @Test
  void aFractionIsReadFromTheRowGroupsThatHaveIt() {
    ImageSet some = images(Cache.NONE, 1, 0.25);
    assertThat(some.size()).isEqualTo(IMAGES / 4);
    Minibatches batches = epoch(some, 0, 1, Labels.ALL);
    ImageSet memory = images(Cache.MEMORY, 1, 0.25);
    assertSame(epoch(memory, 0, 1, Labels.ALL), batches);
  }

  // --- shards change hands -----------------------------------------------------------------------

  @Test
  void wholeShardsAreDealtAnewEachEpochAndEachToOneWorker() {
    ImageSet images = images(Cache.NONE, 1);
    Normalization normalization = manifest(IMAGES, SIDE).normalization();
    Set<Integer> ofFirst = new HashSet<>();
    for (int epoch = 0; epoch < 10; epoch++) {
      int[] first = Share.all(images, normalization).rotated(SHARDS, 0, 2, 1, epoch).indices();
      int[] second = Share.all(images, normalization).rotated(SHARDS, 1, 2, 1, epoch).indices();
      assertThat(IntStream.concat(IntStream.of(first), IntStream.of(second)).sorted().toArray())
          .isEqualTo(IntStream.range(0, IMAGES).toArray());
      assertThat(Arrays.stream(first).map(images::shard).distinct().toArray()).hasSize(1);
      ofFirst.add(images.shard(first[0]));
    }
    assertThat(ofFirst).containsExactlyInAnyOrder(0, 1);
  }

  // --- failures ----------------------------------------------------------------------------------

  @Test
  void aShardThatIsGoneIsMetByWhoReadsIt(@TempDir Path dataset) throws IOException {
    for (int shard = 0; shard < SHARDS; shard++) {
      write(dataset, shard, 2000, IMAGE_BYTES);
    }
    ImageSet images =
        new Shards(
                new Configuration(),
                dataset.toString(),
                manifest(2000, SIDE),
                Split.TRAIN,
                new Caching(Cache.NONE, 1))
            .read(new int[] {0, 1}, 1);
    Path file = dataset.resolve("images/split=train/shard=1/a.parquet");
    byte[] bytes = Files.readAllBytes(file);
    Files.delete(file);
    assertThatThrownBy(() -> ids(epoch(images, 0, 1, Labels.ALL)))
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageContaining("shard=1");

    Files.write(file, bytes);
    assertThat(ids(epoch(images, 0, 1, Labels.ALL))).hasSize(2000);
  }
}
