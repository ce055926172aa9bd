package org.mixtraining.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.JarFile;
import java.util.stream.Collectors;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.mixtraining.spark.PackagedJob;

/** The job's jar beside Spark's, of which either may come first. */
@Tag("cluster")
class JarTest {
  private static final Path JAR = Path.of("target/mixtraining.jar");
  private static final Path SPARK = Path.of("target/spark/jars");

  @BeforeAll
  static void needThePackage() {
    PackagedJob.assumeBuilt();
  }

  private static Set<String> classes(Path jar) throws IOException {
    try (JarFile file = new JarFile(jar.toFile())) {
      return file.stream()
          .map(ZipEntry::getName)
          .filter(name -> name.endsWith(".class") && !name.endsWith("module-info.class"))
          .collect(Collectors.toCollection(TreeSet::new));
    }
  }

  @Test
  void noClassInItIsInSparkToo() throws IOException {
    Set<String> own = classes(JAR);
    Set<String> both = new TreeSet<>();
    List<Path> others;
    try (var list = Files.list(SPARK)) {
      others = list.toList();
    }
    for (Path other : others) {
      classes(other).stream().filter(own::contains).forEach(both::add);
    }

    assertThat(others).isNotEmpty();
    assertThat(both).isEmpty();
  }

  /** Which Databricks' runtime has in another version. */
  @Test
  void itsReaderOfHoconIsItsOwn() throws IOException {
    assertThat(classes(JAR))
        .contains("org/mixtraining/shaded/typesafe/config/Config.class")
        .noneMatch(name -> name.startsWith("com/typesafe/"));
  }

  /**
   * What a cluster's own libraries may bring in another version: a new one is relocated in the POM,
   * or listed here. JNA is not relocated, since its native part finds classes by their names; the
   * others are Deeplearning4j's, or draw the report and read images.
   */
  @Test
  void whatIsInItOfOthersIsListed() throws IOException {
    Set<String> packages =
        classes(JAR).stream()
            .map(name -> name.split("/"))
            .map(parts -> parts[0].length() > 3 ? parts[0] : parts[0] + "." + parts[1])
            .collect(Collectors.toCollection(TreeSet::new));

    assertThat(packages)
        .containsExactly(
            "com.github", // L-BFGS
            "com.jakewharton", // byte units
            "com.sun", // JNA
            "com.tdunning", // t-digest
            "com.twelvemonkeys", // image formats
            "de.javakaffee", // Kryo serialisers
            "j2html",
            "net.ericaro", // iterator tools
            "onnx",
            "org.apache", // dl4j-spark's TaskContextHelper
            "org.bytedeco",
            "org.datavec",
            "org.deeplearning4j",
            "org.eclipse", // Deeplearning4j's resources
            "org.mixtraining",
            "org.nd4j",
            "org.tensorflow", // its protocol
            "oshi",
            "tensorflow");
    assertThat(classes(JAR))
        .filteredOn(name -> name.startsWith("org/apache/"))
        .hasSize(2)
        .allMatch(name -> name.startsWith("org/apache/spark/"));
  }
}
