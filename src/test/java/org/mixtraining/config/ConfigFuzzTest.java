package org.mixtraining.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whatever is written as a configuration, it is one or it is refused by lines for a person. */
class ConfigFuzzTest {
  private static final String[] PIECES = {
    "{",
    "}",
    "[",
    "]",
    "\"",
    "\"\"\"",
    "=",
    ":",
    ",",
    ".",
    "\n",
    "#",
    "//",
    "${",
    "${?",
    "}",
    "+=",
    "null",
    "true",
    "-1",
    "1e999",
    "1e-999",
    "0x10",
    "NaN",
    "9223372036854775808",
    "\\u0000",
    "\\",
    "include \"job.conf\"",
    "mixtraining",
    "$",
    "\u0000",
    "\uD800",
    "é",
    "epochs.sl",
    "a.b.c",
    " "
  };

  @TempDir Path directory;

  private static String reference() throws IOException {
    try (InputStream in = ConfigFuzzTest.class.getResourceAsStream("/reference.conf")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  /** Whether it was loaded. */
  private static boolean loads(Optional<Path> file, List<String> overrides) {
    try {
      JobConfig config = JobConfig.load(file, overrides);
      assertThat(JobConfig.load(config.canonical(), Optional.empty(), List.of()).canonical())
          .isEqualTo(config.canonical());
      return true;
    } catch (UserException e) {
      assertThat(e.problems()).isNotEmpty().allSatisfy(line -> assertThat(line).isNotBlank());
      return false;
    }
  }

  @Test
  void aDamagedFileIsReadOrRefused() throws IOException {
    String text = reference().replaceAll("(?m)^ *#.*\n", "");
    SplittableRandom random = new SplittableRandom(1);
    Path file = directory.resolve("job.conf");
    int loaded = 0;
    for (int i = 0; i < 1500; i++) {
      StringBuilder damaged = new StringBuilder(text);
      for (int change = random.nextInt(3); change >= 0; change--) {
        int at = random.nextInt(damaged.length());
        switch (random.nextInt(4)) {
          case 0 -> damaged.setLength(Math.max(1, at));
          case 1 -> damaged.setCharAt(at, (char) (damaged.charAt(at) ^ 1 << random.nextInt(7)));
          case 2 -> damaged.delete(at, Math.min(damaged.length() - 1, at + random.nextInt(40)));
          default -> damaged.insert(at, PIECES[random.nextInt(PIECES.length)]);
        }
      }
      Files.write(file, damaged.toString().getBytes(StandardCharsets.UTF_8));
      loaded += loads(Optional.of(file), List.of()) ? 1 : 0;
    }
    assertThat(loaded).as("some damage does no harm, most does").isBetween(10, 1000);
  }

  @Test
  void bytesOfNoTextAreRefused() throws IOException {
    SplittableRandom random = new SplittableRandom(2);
    Path file = directory.resolve("job.conf");
    for (int i = 0; i < 300; i++) {
      byte[] bytes = new byte[1 + random.nextInt(300)];
      random.nextBytes(bytes);
      Files.write(file, bytes);
      loads(Optional.of(file), List.of());
    }
  }

  @Test
  void aFileNestedWithoutEndIsRefused() throws IOException {
    Path file = directory.resolve("job.conf");
    for (String opening : List.of("a{", "a=[", "a=${", "\"\"\"", "a.")) {
      Files.writeString(file, opening.repeat(20_000));
      assertThat(loads(Optional.of(file), List.of())).as(opening).isFalse();
    }
  }

  @Test
  void anyOverrideIsTakenOrRefused() throws IOException {
    List<String> keys =
        reference().lines().filter(line -> line.matches("\\s+[a-z-]+ = .*")).toList();
    SplittableRandom random = new SplittableRandom(3);
    for (int i = 0; i < 1500; i++) {
      StringBuilder override = new StringBuilder();
      if (random.nextInt(4) > 0) {
        override.append(keys.get(random.nextInt(keys.size())).strip().replace(" = ", "="));
      }
      for (int piece = random.nextInt(4); piece >= 0; piece--) {
        int at = random.nextInt(override.length() + 1);
        override.insert(at, PIECES[random.nextInt(PIECES.length)]);
      }
      loads(Optional.empty(), List.of(override.toString()));
    }
  }
}
