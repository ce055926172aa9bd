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
}
