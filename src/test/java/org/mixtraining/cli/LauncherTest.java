package org.mixtraining.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.Color;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import javax.imageio.ImageIO;
import org.apache.hadoop.conf.Configuration;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.results.RunRow;
import org.mixtraining.results.Tables;
import org.mixtraining.spark.PackagedJob;

/**
 * From images to predictions as {@code submit/mixtraining} runs it: installed in a directory of an
 * odd name, without a locale, in a Java whose digits are not 0 to 9, on every kind of master that
 * the embedded Spark has. By {@code mvn verify -Pend-to-end}: a dozen processes of Spark one after
 * another.
 */
@Tag("end-to-end")
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class LauncherTest {
  private static final String ODD = "Bücher [2023] {a,b}*?#%20+;'&~ 写真\\";
  private static final Map<String, String> NO_LOCALE =
      Map.of("LC_ALL", "POSIX", "JAVA_TOOL_OPTIONS", "-Duser.language=fa -Duser.country=IR");

  @TempDir static Path temporary;
  private static Path home;

  private record Said(int exitCode, String out, String err) {
    Said isDone() {
      assertThat(exitCode).as(out + err).isZero();
      assertThat(out + err).doesNotContainPattern("[\u06F0-\u06F9\u0660-\u0669]");
      return this;
    }
  }

  @BeforeAll
  static void install() throws IOException {
    PackagedJob.assumeBuilt();
    home = Files.createDirectory(temporary.resolve(ODD));
    Files.createDirectories(home.resolve("target/spark"));
    for (String part : List.of("submit", "conf", "target/mixtraining.jar", "target/spark/jars")) {
      Files.createSymbolicLink(home.resolve(part), Path.of(part).toAbsolutePath());
    }
    for (String kind : List.of("Äpfel", "[b]")) {
      for (int i = 0; i < 24; i++) {
        BufferedImage image = new BufferedImage(16, 16, BufferedImage.TYPE_INT_RGB);
        image.setRGB(i % 16, i / 16, Color.RED.getRGB());
        Path file = home.resolve("photos (1)/" + kind + "/nº " + i + ".png");
        Files.createDirectories(file.getParent());
        ImageIO.write(image, "png", file.toFile());
      }
    }
    Files.writeString(
        home.resolve("small.conf"),
        """
        \uFEFFmixtraining {
          run.output = "runs [1]"
          data { format = folder, source = "photos (1)", path = "shards {x}: é", shards = 2, image-size = 16 }
          model { preset = vit-nano, patch = 8, decoder.depth = 1 }
          epochs { ssl = 1, sl = 1 }
          pipeline = ssl-sl
          optimizer.batch-size = 16
          tracking.event-log = "log #%20"
        }
        """);
  }

  private static Said run(Map<String, String> environment, String... words) throws Exception {
    Path out = Files.createTempFile(temporary, "out", "");
    Path err = Files.createTempFile(temporary, "err", "");
    List<String> all = new ArrayList<>(List.of(home.resolve("submit/mixtraining").toString()));
    all.addAll(List.of(words));
    all.addAll(List.of("--conf", "small.conf"));
    ProcessBuilder builder =
        new ProcessBuilder(all)
            .directory(home.toFile())
            .redirectOutput(out.toFile())
            .redirectError(err.toFile());
    for (String name : List.of("SPARK_HOME", "SPARK_SCALA_VERSION", "SPARK_LOCAL_IP", "MASTER")) {
      builder.environment().remove(name);
    }
    builder.environment().put("HOME", home.toString());
    builder.environment().putAll(NO_LOCALE);
    builder.environment().putAll(environment);
    Process process = builder.start();
    assertThat(process.waitFor(5, TimeUnit.MINUTES)).isTrue();
    return new Said(process.exitValue(), Files.readString(out), Files.readString(err));
  }

  private static Said on(String master, String... words) throws Exception {
    return run(Map.of("MASTER", master), words);
  }

  @Test
  @Order(1)
  void imagesArePreparedByExecutors() throws Exception {
    Said said = on("local-cluster[2,1,1024]", "prepare").isDone();

    assertThat(said.out()).contains("Äpfel", "[b]");
    assertThat(home.resolve("shards {x}: é/dataset.json")).isNotEmptyFile();
  }

  @Test
  @Order(2)
  void aRunIsTrainedByExecutorsOfItsOwn() throws Exception {
    String source = "data.source=s3a://me:hunter2@bucket/photos";
    run(Map.of(), "train", "-D", "run.id=007", "-D", source).isDone();

    RunRow row =
        new Tables(new Configuration(), home.resolve("runs [1]").toString())
            .run("007")
            .orElseThrow();
    assertThat(row.status()).isEqualTo(RunRow.Status.FINISHED);
    try (var logs = Files.list(home.resolve("log #%20"))) {
      assertThat(logs)
          .singleElement(InstanceOfAssertFactories.PATH)
          .content()
          .contains("-D data.source=s3a://(redacted)@bucket/photos")
          .doesNotContain("hunter2");
    }
  }

  @Test
  @Order(3)
  void theReportIsWritten() throws Exception {
    on("local", "report", "--run", "007", "-o", "été [1].html").isDone();

    assertThat(home.resolve("été [1].html")).content().contains("viewBox=\"0 0 ", "Äpfel");
  }

  @Test
  @Order(4)
  void imagesArePredicted() throws Exception {
    Said said = on("local[2]", "predict", "--run", "007", "photos (1)", "-o", "said: {é}").isDone();

    assertThat(said.err()).doesNotContain("ignored");
    assertThat(said.out()).contains("48 predicted, 0 cannot be used", "table in said: {é}");
    assertThat(home.resolve("said: {é}/_SUCCESS")).exists();
  }

  @Test
  @Order(5)
  void tablesAreAskedByAFileWithAMark() throws Exception {
    Files.writeString(home.resolve("ask.sql"), "\uFEFFselect run_id, 'é' as e from runs");

    assertThat(on("local[1,2]", "sql", "-f", "ask.sql", "--csv").isDone().out())
        .isEqualTo("run_id,e\n007,é\n");
  }

  @Test
  @Order(6)
  void executorsElsewhereFetchTheJob() throws Exception {
    Path directory = Files.createDirectory(temporary.resolve("cluster"));
    try (StandaloneCluster cluster =
        new StandaloneCluster(directory, Path.of("target/spark/jars"))) {
      cluster.worker("0");
      on(cluster.master(), "prepare", "-D", "data.path=~/again ä").isDone();
    }
    assertThat(home.resolve("again ä/dataset.json"))
        .hasSameBinaryContentAs(home.resolve("shards {x}: é/dataset.json"));
  }

  @Test
  void aMasterThatTheEmbeddedSparkDoesNotHaveIsRefused() throws Exception {
    Said said = on("yarn", "prepare", "--force");

    assertThat(said.exitCode()).as(said.err()).isEqualTo(2);
    assertThat(said.err()).contains("error: MASTER = yarn: the embedded Spark supports local, ");
  }
}
