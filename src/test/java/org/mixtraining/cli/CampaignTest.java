package org.mixtraining.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.mixtraining.cli.SmallJob.Driver;
import org.mixtraining.files.FullFileSystem;
import org.mixtraining.results.RunRow;
import org.mixtraining.results.Tables;

/**
 * Situations drawn at random, a round each: prepare, train, report and predict end in success with
 * the right tables, or in one line that says why, and leave nothing behind; once the trouble is
 * over, the same commands succeed. A round depends on its number alone. After {@code mvn -q package
 * -DskipTests}: {@code mvn surefire:test -Dtest=CampaignTest -Dexcluded.tags= -Drounds=1..300}, one
 * of them again by {@code -Drounds=17..17}.
 */
@Tag("slow")
class CampaignTest {
  private static final List<String> NAMES =
      List.of(
          "plain", "photos [2023]", "größe", "a b", "{x}", "100%25", "日本", "a#b", "it's", "x+y&z");
  private static final List<String> CLASSES =
      List.of("cat", "_unknown_", "007", "größe", "two words", "{x}", "a,b", "null", "été");
  private static final List<String> LOCALES =
      List.of("und", "fa-IR", "ar-EG", "tr-TR", "de-DE", "th-TH-u-nu-thai");

  /** What is in the way of a round's commands. */
  private enum Trouble {
    NONE,
    /** The disk is full at some byte. */
    FULL_DISK,
    /** Results cannot be written where they are to be. */
    FILE_IN_THE_WAY,
    /** The newest checkpoint is cut off, and the run's row still says that it is running. */
    DAMAGED_CHECKPOINT,
    /** A process, told to stop or killed at some moment. */
    SIGNAL,
    /** A process on one core, in a locale of its own. */
    ONE_CORE,
    /** A process of a user id without a name. */
    NAMELESS
  }

  @TempDir private Path temporary;
  private Random random;
  private Path directory;
  private List<String> settings;
  private final List<String> story = new ArrayList<>();

  static IntStream rounds() {
    String[] range = System.getProperty("rounds", "1..20").split("\\.\\.");
    return IntStream.rangeClosed(
        Integer.parseInt(range[0]), Integer.parseInt(range[range.length - 1]));
  }

  @AfterEach
  void restore() {
    for (String key :
        List.of(
            "master", "ui.enabled", "hadoop.fs.file.impl", "hadoop.fs.file.impl.disable.cache")) {
      System.clearProperty("spark." + key);
    }
    Locale.setDefault(Locale.ROOT);
  }

  @ParameterizedTest
  @MethodSource("rounds")
  void everyRoundEndsWellOrWithOneLine(int round) throws Exception {
    random = new Random(31L * round);
    random.nextLong(); // the first draws of neighbouring seeds are alike
    long start = System.nanoTime();
    try {
      situation();
      Trouble trouble = drawn(List.of(Trouble.values()));
      story.add("trouble: " + trouble);
      switch (trouble) {
        case NONE -> {}
        case FULL_DISK -> fullDisk();
        case FILE_IN_THE_WAY -> fileInTheWay();
        case DAMAGED_CHECKPOINT -> damagedCheckpoint();
        case SIGNAL -> signal();
        case ONE_CORE ->
            process(
                Map.of(
                    "JAVA_TOOL_OPTIONS",
                    "-XX:ActiveProcessorCount=1 -Duser.language=ar -Duser.country=EG"),
                List.of("taskset", "-c", "0"));
        case NAMELESS -> nameless();
      }
      calm();
    } catch (Exception | AssertionError e) {
      String told =
          "round %s failed; again by -Drounds=%s..%s%n%s"
              .formatted(round, round, round, String.join("\n", story));
      System.out.println(told + "\n" + e); // at once, rather than when the last round is over
      throw new AssertionError(told, e);
    }
    System.out.println(
        "round %s: %s, %s s"
            .formatted(round, story.get(1), (System.nanoTime() - start) / 1_000_000_000));
  }

  // --- what a round is about ---------------------------------------------------------------------

  private void situation() throws IOException {
    System.setProperty("spark.master", "local[" + (1 + random.nextInt(2)) + "]");
    System.setProperty("spark.ui.enabled", "false");
    directory = Files.createDirectories(temporary.resolve(drawn(NAMES)).resolve(drawn(NAMES)));
    Locale locale = Locale.forLanguageTag(drawn(LOCALES));
    Locale.setDefault(locale);
    images(directory.resolve("source"));
    settings =
        List.of(
            "run.id=r",
            "run.output=" + directory.resolve("runs"),
            "data.path=" + directory.resolve("images"),
            "data.source=" + directory.resolve("source"),
            "data.format=folder",
            "data.image-size=16",
            "data.max-bad-fraction=0.5",
            "data.validation=0.3",
            "data.test=0.3",
            "data.shards=" + (2 + random.nextInt(2)),
            "model.preset=vit-nano",
            "model.patch=8",
            "model.decoder.depth=1",
            "pipeline=" + drawn(List.of("sl", "ssl-sl", "mix", "ssat")),
            "epochs={ssl = 2, sl = 2}",
            "optimizer.batch-size=" + (3 + random.nextInt(8)),
            "checkpoint.every=" + (1 + random.nextInt(2)),
            "workers.count=" + (1 + random.nextInt(2)));
    story.add(
        "%s, locale %s, master %s%n%s"
            .formatted(
                directory,
                locale,
                System.getProperty("spark.master"),
                String.join("\n", settings)));
  }

  /** Photographs by class, some of which are none, or have names that cameras and people give. */
  private void images(Path source) throws IOException {
    List<String> classes = new ArrayList<>(CLASSES);
    Collections.shuffle(classes, random);
    for (String name : classes.subList(0, 2 + random.nextInt(2))) {
      Path folder = Files.createDirectories(source.resolve(name));
      for (int i = 0; i < 20; i++) {
        int type =
            drawn(
                List.of(
                    BufferedImage.TYPE_3BYTE_BGR,
                    BufferedImage.TYPE_BYTE_GRAY,
                    BufferedImage.TYPE_INT_RGB));
        var image = new BufferedImage(8 + random.nextInt(40), 8 + random.nextInt(40), type);
        IntStream.range(0, 200)
            .forEach(
                p ->
                    image.setRGB(
                        random.nextInt(image.getWidth()),
                        random.nextInt(image.getHeight()),
                        random.nextInt()));
        String format = drawn(List.of("png", "jpg"));
        ImageIO.write(
            image,
            format,
            folder
                .resolve(
                    drawn(List.of("_DSC", "IMG ", "é", "a[1]", "b#"))
                        + i
                        + "."
                        + (random.nextBoolean() ? format : format.toUpperCase(Locale.ROOT)))
                .toFile());
      }
      if (random.nextBoolean()) {
        Files.write(folder.resolve("cut.jpg"), new byte[] {(byte) 0xff, (byte) 0xd8, 1});
      }
      if (random.nextBoolean()) {
        Files.write(folder.resolve("Thumbs.db"), new byte[20]);
      }
    }
  }

  private <T> T drawn(List<T> all) {
    return all.get(random.nextInt(all.size()));
  }

  // --- trouble -----------------------------------------------------------------------------------

  private void fullDisk() throws Exception {
    FullFileSystem.configuration(directory, random.nextInt(3) > 0);
    FullFileSystem.capacity = FullFileSystem.size(directory) + random.nextInt(3_000_000);
    System.setProperty("spark.hadoop.fs.file.impl", FullFileSystem.class.getName());
    System.setProperty("spark.hadoop.fs.file.impl.disable.cache", "true");
    for (String[] command : commands()) {
      Printed printed = here(command);
      if (printed.exitCode() != 0) {
        assertThat(last(printed.err())).contains("No space left");
        break;
      }
    }
    System.clearProperty("spark.hadoop.fs.file.impl");
    System.clearProperty("spark.hadoop.fs.file.impl.disable.cache");
    assertNothingLeft();
  }

  private void fileInTheWay() throws Exception {
    List<String[]> commands = commands();
    int stopped = random.nextInt(2);
    Path way = directory.resolve(stopped == 0 ? "images" : "runs");
    for (int i = 0; i < stopped; i++) {
      assertThat(here(commands.get(i)).exitCode()).isZero();
    }
    Files.writeString(way, "in the way");
    Printed printed = here(commands.get(stopped));
    assertThat(printed.exitCode()).isEqualTo(2);
    assertThat(last(printed.err())).startsWith("error: ").contains(way.toString());
    Files.delete(way);
    assertNothingLeft();
  }

  private void damagedCheckpoint() throws Exception {
    for (String[] command : commands().subList(0, 2)) {
      assertThat(here(command).exitCode()).isZero();
    }
    Path checkpoints = directory.resolve("runs/checkpoints/r");
    List<Path> epochs;
    try (var files = Files.list(checkpoints)) {
      epochs = files.filter(f -> f.getFileName().toString().startsWith("epoch-")).sorted().toList();
    }
    byte[] whole = Files.readAllBytes(epochs.get(epochs.size() - 1));
    Files.write(
        epochs.get(epochs.size() - 1),
        java.util.Arrays.copyOf(whole, random.nextInt(whole.length)));
    Files.walk(directory.resolve("runs/tables/runs"))
        .filter(Files::isRegularFile)
        .forEach(f -> f.toFile().delete());
    Printed printed = here(commands().get(1));
    assertThat(printed.exitCode()).isEqualTo(2);
    assertThat(last(printed.err())).contains("mixtraining.run.id = r");
    assertThat(here(join(commands().get(1), "--force")).exitCode()).isZero();
  }

  private void signal() throws Exception {
    int which = random.nextInt(2);
    if (which > 0) {
      assertThat(here(commands().get(0)).exitCode()).isZero();
    }
    Driver driver = start(Map.of("MASTER", "local[2]"), List.of(), commands().get(which));
    boolean over = driver.process().waitFor(1000 + random.nextInt(15000), TimeUnit.MILLISECONDS);
    String name = drawn(List.of("TERM", "INT", "KILL"));
    story.add(name + (over ? " comes too late" : ""));
    new ProcessBuilder("kill", "-" + name, "" + driver.process().pid()).start().waitFor();
    int code = driver.exit();
    story.add(driver.said());
    assertThat(code).isIn(0, 1, 3, 130, 137, 143);
    if (!name.equals("KILL") && code == 3) {
      assertThat(last(driver.said())).contains("was interrupted");
      assertNothingLeft();
    }
    boolean begun = driver.said().lines().anyMatch(line -> !line.startsWith("WARNING"));
    if (name.equals("KILL") || !begun) { // which only the next start can clean up after
      assertThat(start(Map.of(), List.of(), "sql", "--describe").exit()).isZero();
    }
  }

  private void nameless() throws Exception {
    if (!System.getProperty("user.name").equals("root")) {
      return;
    }
    new ProcessBuilder("chmod", "-R", "a+rwX", temporary.toString()).start().waitFor();
    process(
        Map.of("HOME", "/"),
        List.of("setpriv", "--reuid", "12345", "--regid", "12345", "--clear-groups"));
    new ProcessBuilder("chmod", "-R", "a+rwX", temporary.toString()).start().waitFor();
  }

  /** Prepare and train in processes of their own. */
  private void process(Map<String, String> environment, List<String> prefix) throws Exception {
    for (String[] command : commands().subList(0, 2)) {
      Driver driver = start(environment, prefix, command);
      int code = driver.exit();
      story.add(driver.said());
      assertThat(code).isZero();
    }
    assertNothingLeft();
  }

  private Driver start(Map<String, String> environment, List<String> prefix, String... words)
      throws IOException {
    Path own = Files.createDirectories(temporary.resolve("tmp"));
    own.toFile().setWritable(true, false);
    List<String> line = new ArrayList<>(prefix);
    line.add("submit/mixtraining");
    line.addAll(List.of(words));
    story.add(environment + " " + String.join(" ", line));
    Path said = Files.createTempFile(temporary, "said", ".txt");
    ProcessBuilder builder =
        new ProcessBuilder(line).redirectErrorStream(true).redirectOutput(said.toFile());
    builder.environment().remove("SPARK_HOME");
    builder.environment().remove("SPARK_SCALA_VERSION");
    builder.environment().put("TMPDIR", own.toString());
    builder.environment().putAll(environment);
    return new Driver(builder.start(), said);
  }

  // --- commands, and what they leave -------------------------------------------------------------

  private List<String[]> commands() {
    List<String[]> commands = new ArrayList<>();
    commands.add(words("prepare"));
    commands.add(words("train"));
    commands.add(words("report", "--run", "r", "-o", directory.resolve("r.html").toString()));
    commands.add(
        words(
            "predict",
            "--run",
            "r",
            "-o",
            directory.resolve("said").toString(),
            "--force",
            directory.resolve("source").toString()));
    return commands;
  }

  private String[] words(String command, String... more) {
    List<String> words = new ArrayList<>(List.of(command));
    settings.forEach(setting -> words.addAll(List.of("-D", setting)));
    words.addAll(List.of(more));
    return words.toArray(String[]::new);
  }

  private static String[] join(String[] words, String more) {
    List<String> all = new ArrayList<>(List.of(words));
    all.add(more);
    return all.toArray(String[]::new);
  }

  private Printed here(String... words) {
    Printed printed = Printed.by(words);
    story.add("%s: exit %s%n%s".formatted(words[0], printed.exitCode(), printed.err()));
    if (printed.exitCode() != 0) {
      assertThat(last(printed.err())).matches("(error|failed): .+").doesNotContain("\tat ");
    }
    return printed;
  }

  private static String last(String text) {
    return text.lines().reduce("", (before, line) -> line);
  }

  /** Without trouble, or when it is over, everything succeeds. */
  private void calm() throws Exception {
    for (String[] command : commands()) {
      boolean prepared =
          command[0].equals("prepare") && Files.exists(directory.resolve("images/dataset.json"));
      if (!prepared) {
        assertThat(here(command).exitCode()).as(command[0]).isZero();
      }
    }
    RunRow run =
        new Tables(new Configuration(), directory.resolve("runs").toString())
            .run("r")
            .orElseThrow();
    assertThat(run.status()).isEqualTo(RunRow.Status.FINISHED);
    assertThat(run.progress().epochsDone()).isEqualTo(run.setup().epochsPlanned());
    assertThat(directory.resolve("runs/summaries/r/summary.json"))
        .content()
        .contains("\"finished\"");
    assertThat(directory.resolve("r.html")).isNotEmptyFile();
    assertThat(directory.resolve("said/_SUCCESS")).exists();
    assertNothingLeft();
  }

  private void assertNothingLeft() throws IOException {
    try (var files = Files.walk(temporary)) {
      assertThat(files.map(f -> temporary.relativize(f).toString()))
          .noneMatch(
              f ->
                  f.matches("(.*/)?(\\.[^/]*(?<!\\.crc)|LOCK|_temporary)")
                      || f.startsWith("tmp/mixtraining-"));
    }
  }
}
