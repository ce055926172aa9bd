package org.mixtraining;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** JVMs with the class path of the tests, for what is decided once in a process. */
public final class ForkedJvm {
  private ForkedJvm() {}

  /** What a main class prints, which must end without an error. */
  public static String run(List<String> options, Map<String, String> environment, Class<?> main)
      throws IOException, InterruptedException {
    return run(Path.of(System.getProperty("java.home")), options, environment, main);
  }

  /** The same on the Java of another home. */
  public static String run(
      Path home, List<String> options, Map<String, String> environment, Class<?> main)
      throws IOException, InterruptedException {
    List<String> words = new ArrayList<>();
    words.add(home.resolve("bin/java").toString());
    words.addAll(options);
    words.add("-cp");
    words.add(
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")));
    words.add(main.getName());
    ProcessBuilder builder = new ProcessBuilder(words).redirectErrorStream(true);
    builder.environment().putAll(environment);
    Process jvm = builder.start();
    String output = new String(jvm.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(jvm.waitFor()).as(output).isZero();
    return output;
  }
}
