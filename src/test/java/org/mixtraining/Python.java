package org.mixtraining;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Tests of src/test/python, which skip where a library is missing. Their Python is that of
 * target/python, where there is one, and else python3.
 *
 * @param said by a file's tests
 */
public record Python(String said) {
  private static final Path OWN = Path.of("target/python/bin/python");

  /** Runs the tests of a file. */
  public static Python run(String file, Map<String, String> environment)
      throws IOException, InterruptedException {
    ProcessBuilder builder =
        new ProcessBuilder(
            Files.isExecutable(OWN) ? OWN.toString() : "python3", "-m", "unittest", "-v", file);
    builder.environment().putAll(environment);
    Process process;
    try {
      process = builder.redirectErrorStream(true).start();
    } catch (IOException e) {
      abort("there is no python3");
      throw e;
    }
    try (var lines = process.inputReader(StandardCharsets.UTF_8)) {
      String said = String.join("\n", lines.lines().toList());
      process.waitFor();
      return new Python(said);
    }
  }

  /** A test must have passed; if it was skipped, the calling one is, for the same reason. */
  public void passed(String test) {
    Matcher result =
        Pattern.compile("(?m)^" + test + " \\((?s:.*?)\\.\\.\\. (?s:.*?)(ok|skipped (.*))$")
            .matcher(said);
    boolean found = result.find();
    assertThat(said).doesNotContain("FAIL: " + test + " ", "ERROR: " + test + " ");
    assertThat(found).as(said).isTrue();
    assumeTrue(result.group(1).equals("ok"), () -> "src/test/python: " + result.group(2));
  }
}
