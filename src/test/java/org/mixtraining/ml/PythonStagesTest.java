package org.mixtraining.ml;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mixtraining.Python;

/** The stages in Python: src/test/python/spark_ml.py. */
@Tag("cluster")
class PythonStagesTest {
  private static Python python;

  @BeforeAll
  static void ask(@TempDir Path photos) throws IOException, InterruptedException {
    assumeTrue(
        Files.exists(Path.of("target/mixtraining.jar")),
        "needs target/mixtraining.jar, which mvn verify makes");
    for (int i = 0; i < 90; i++) {
      Path kind = Files.createDirectories(photos.resolve(Photos.NAMES.get(Photos.label(i))));
      Files.write(kind.resolve(i + ".png"), Photos.png(i));
    }
    python =
        Python.run("src/test/python/spark_ml.py", Map.of("MIXTRAINING_PHOTOS", photos.toString()));
  }

  @ParameterizedTest
  @ValueSource(strings = {"test_module_is_in_the_jar", "test_stages_in_pyspark"})
  void theStagesWorkInPython(String test) {
    python.passed(test);
  }
}
