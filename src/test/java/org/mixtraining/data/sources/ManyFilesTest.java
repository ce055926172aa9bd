package org.mixtraining.data.sources;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;
import static org.mixtraining.data.sources.WebDatasetTest.png;
import static org.mixtraining.data.sources.WebDatasetTest.tar;
import static org.mixtraining.data.sources.WebDatasetTest.text;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mixtraining.config.UserException;
import org.mixtraining.data.ImageBytes;
import org.mixtraining.data.Note;
import org.mixtraining.data.RawFiles;

/** More directories and tar files than are read on the driver. */
class ManyFilesTest {
  private static final int MANY = 40;
  private static final String THRESHOLD = "spark.sql.sources.parallelPartitionDiscovery.threshold";

  @TempDir private Path directory;
  private final SparkSession spark = RawFiles.spark();
  private final JavaSparkContext context = JavaSparkContext.fromSparkContext(spark.sparkContext());

  private void image(String name) throws IOException {
    RawFiles.write(directory, name, ImageBytes.png(8, 6, name.hashCode()));
  }

  /** What a source comes to, and the Spark jobs that opening it took. */
  private record Opened(Source source, int jobs) {}

  private Opened open(String format, SparkSession session) {
    String group = "many files " + System.nanoTime();
    context.setJobGroup(group, "a test");
    try {
      Source source = Source.open(RawFiles.configured(format, directory), session);
      return new Opened(source, context.statusTracker().getJobIdsForGroup(group).length);
    } finally {
      context.clearJobGroup();
    }
  }

  /** A session that lists this many on its driver. */
  private SparkSession listing(int most) {
    SparkSession session = spark.newSession();
    session.conf().set(THRESHOLD, most);
    return session;
  }

  private void classes() throws IOException {
    for (int i = 10; i < 10 + MANY; i++) {
      image("c%s/a.png".formatted(i));
      image("c%s/b.png".formatted(i));
      RawFiles.text(directory, "c%s/notes.txt".formatted(i), "not an image");
      image("c%s/.hidden.png".formatted(i));
    }
  }

  @Test
  void classDirectoriesAreListedInTasksAsOnTheDriver() throws IOException {
    classes();
    Opened tasks = open("folder", spark);
    Opened driver = open("folder", listing(MANY));

    assertThat(tasks.jobs).isOne();
    assertThat(driver.jobs).isZero();
    assertThat(tasks.source.images()).isEqualTo(2 * MANY);
    assertThat(tasks.source).isEqualTo(driver.source);
    assertThat(tasks.source.notes())
        .extracting(Note::what, Note::count)
        .containsExactly(
            tuple("hidden, skipped", (long) MANY), tuple("not an image, skipped", (long) MANY));
  }

  @Test
  void aDirectoryThatATaskCannotUseIsToldAsByTheDriver() throws IOException {
    classes();
    Files.createDirectories(directory.resolve("raw/c17x"));
    assertThatThrownBy(() -> open("folder", spark))
        .isInstanceOf(UserException.class)
        .hasMessageEndingWith("c17x is empty");
  }

  @Test
  void listedFilesOfDirectoriesThatAreMissingAreFoundMissing() throws IOException {
    StringBuilder list = new StringBuilder("path,label\n");
    for (int i = 10; i < 10 + MANY; i++) {
      image("d%s/a.png".formatted(i));
      list.append("d%s/a.png,x\nnowhere%s/a.png,y\n".formatted(i, i));
    }
    RawFiles.text(directory, "train.csv", list.toString());
    Opened tasks = open("csv", spark);

    assertThat(tasks.jobs).isOne();
    assertThat(tasks.source).isEqualTo(open("csv", listing(2 * MANY)).source);
    assertThat(
            tasks.source.pieces().stream()
                .flatMap(piece -> ((ImageFiles) piece).files().stream())
                .filter(file -> file.bytes() == Listing.Entry.UNREACHABLE))
        .hasSize(MANY);
  }

  @ParameterizedTest
  @ValueSource(strings = {"tinyimagenet", "imagenet"})
  void classesOfImageNetAreListedInTasks(String format) throws IOException {
    boolean tiny = format.equals("tinyimagenet");
    List<String> wnids = IntStream.range(10, 10 + MANY).mapToObj(i -> "n0" + i).toList();
    for (String wnid : wnids) {
      image(
          (tiny ? "train/%s/images/%s_0.JPEG" : "ILSVRC/Data/CLS-LOC/train/%s/%s_0.JPEG")
              .formatted(wnid, wnid));
    }
    image(tiny ? "val/images/v.JPEG" : "ILSVRC/Data/CLS-LOC/val/v.JPEG");
    RawFiles.text(
        directory, tiny ? "wnids.txt" : "LOC_synset_mapping.txt", String.join("\n", wnids));
    RawFiles.text(
        directory,
        tiny ? "val/val_annotations.txt" : "LOC_val_solution.csv",
        tiny ? "v.JPEG\tn010" : "v,n010 1 1 2 2");
    Opened tasks = open(format, spark);

    assertThat(tasks.jobs).isPositive();
    assertThat(tasks.source.images()).isEqualTo(MANY + 1);
    assertThat(tasks.source).isEqualTo(open(format, listing(MANY)).source);
  }

  @Test
  void tarFilesAreReadInTasks() throws IOException {
    for (int i = 10; i < 10 + MANY; i++) {
      RawFiles.write(
          directory,
          "train-%s.tar".formatted(i),
          tar(png("a.png"), text("a.cls", "" + i % 2), text("a.txt", "neither")));
    }
    Opened tasks = open("webdataset", spark);

    assertThat(tasks.jobs).isOne();
    assertThat(tasks.source.images()).isEqualTo(MANY);
    assertThat(tasks.source).isEqualTo(open("webdataset", listing(MANY)).source);
    assertThat(tasks.source.notes()).extracting(Note::count).containsExactly((long) MANY);
  }

  @Test
  void aTarFileThatIsCutIsToldAsByTheDriver() throws IOException {
    for (int i = 10; i < 10 + MANY; i++) {
      byte[] whole = tar(png("a.png"), text("a.cls", "0"));
      byte[] written = i == 19 ? Arrays.copyOf(whole, 700) : whole;
      RawFiles.write(directory, "train-%s.tar".formatted(i), written);
    }
    assertThatThrownBy(() -> open("webdataset", spark))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("train-19.tar is truncated");
  }

  @Test
  void directoriesAtAnyDepthAreWalkedInTasks() throws IOException {
    for (int i = 10; i < 10 + MANY; i++) {
      image("d%s/deep/a.png".formatted(i));
    }
    Listing tasks = Listing.of(directory.resolve("raw").toString(), "", spark);
    assertThat(tasks.walk())
        .isEqualTo(Listing.of(directory.resolve("raw").toString(), "", listing(MANY)).walk())
        .hasSize(MANY);
  }
}
