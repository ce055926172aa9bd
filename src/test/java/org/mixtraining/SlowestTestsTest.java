package org.mixtraining;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SlowestTestsTest {
  @TempDir Path directory;

  private void report(String name, String time, int tests) throws IOException {
    Files.writeString(
        directory.resolve("TEST-" + name + ".xml"),
        """
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuite xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" version="3.0.2" name="a.NAME" time="TIME" tests="TESTS" errors="0" skipped="0" failures="0">
        """
            .replace("NAME", name)
            .replace("TIME", time)
            .replace("TESTS", "" + tests));
  }

  @Test
  void theLongestComeFirst() throws IOException {
    report("QuickTest", "0.42", 3);
    report("SlowTest", "1,234.5", 2);

    assertThat(SlowestTests.lines(SlowestTests.Suite.in(directory)))
        .containsExactly(
            "5 tests of 2 classes took 1235 s; the longest:",
            " 1234.5 s    2 SlowTest",
            "    0.4 s    3 QuickTest");
  }

  @Test
  void nothingIsSaidWhereNoTestHasRun() throws IOException {
    assertThat(SlowestTests.lines(SlowestTests.Suite.in(directory.resolve("none"))))
        .isEqualTo(List.of());
  }
}
