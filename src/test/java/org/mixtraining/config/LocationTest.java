package org.mixtraining.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LocationTest {
  @TempDir Path directory;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Bücher",
        "写真",
        "photos [2023]",
        "{a,b}",
        "*",
        "?",
        "a\\b",
        " a ",
        "#1",
        "100%",
        "%20",
        "a+b",
        "a:b",
        "C:",
        "hdfs:x",
        ".a:b",
        "it's \"it\"",
        "-o",
        "file:",
        "a;b,c&d=e",
        "😀"
      })
  void anyNameIsThatOfTheSameFileForHadoopAndForJava(String name) throws IOException {
    Files.writeString(directory.resolve(name), "here");
    var parent = Location.path(directory.toString());
    var files = parent.getFileSystem(new Configuration());

    for (var path :
        List.of(
            Location.path(directory + "/" + name),
            Location.path("file:" + directory + "/" + name),
            Location.path("/" + directory + "//" + name),
            Location.child(parent, name))) {
      var qualified = files.makeQualified(path);
      assertThat(path.getName()).isEqualTo(name);
      assertThat(files.exists(qualified)).isTrue();
      assertThat(Location.file(qualified)).hasContent("here");
      assertThat(Location.path(qualified.toString())).isEqualTo(qualified);
    }
    assertThat(Location.file(directory + "/" + name)).hasContent("here");
    assertThat(Location.file("file://" + directory + "/" + name)).hasContent("here");
  }

  @ParameterizedTest
  @ValueSource(strings = {"a:b", "C:", "{x}:y/z", "photos [1]", "-"})
  void aRelativePathIsOneToo(String name) throws IOException {
    assertThat(Location.path(name).isAbsolute()).isFalse();
    assertThat(Location.path(name).toUri().getScheme()).isNull();
    var files = Location.path(name).getFileSystem(new Configuration());
    assertThat(files.makeQualified(Location.path(name)))
        .hasToString("file:" + Path.of(name).toAbsolutePath());
  }

  @Test
  void aTildeIsTheHomeDirectory() {
    String home = System.getenv("HOME");

    assertThat(Location.path("~/a b")).hasToString(home + "/a b");
    assertThat(Location.file("~")).isEqualTo(Path.of(home));
    assertThat(Location.expanded("a/~/b")).isEqualTo("a/~/b");
    assertThat(Location.path("hdfs://host/~/b")).hasToString("hdfs://host/~/b");
    assertThat(Location.problem("./~x")).isEqualTo(Optional.empty());
    assertThatThrownBy(() -> Location.path("~anna/x"))
        .hasMessage(
            "only ~/ is expanded to a home directory; write another user's in full, or ./~anna/x for a file of that name");
  }

  @Test
  void aConfigurationsPathsAreThatToo() {
    String home = System.getenv("HOME");
    JobConfig config =
        load(
            "run.output=~/runs",
            "data={source = \"~/s\", ssl = \"~/ssl\", tasks = []}",
            "tracking.event-log=~/log",
            "init.model=~/m");

    assertThat(config.run().output()).isEqualTo(home + "/runs");
    assertThat(config.data().raw().source()).isEqualTo(home + "/s");
    assertThat(config.data().ssl()).isEqualTo(home + "/ssl");
    assertThat(config.tracking().eventLog()).isEqualTo(home + "/log");
    assertThat(config.init().model()).isEqualTo(home + "/m");
    assertThat(load("data.tasks=[{name = a, path = \"~/a\"}]").data().tasks().get(0).path())
        .isEqualTo(home + "/a");
    assertThatThrownBy(() -> load("data.source=~anna", "run.output=[a]", "data.path=[1] b"))
        .hasMessageContaining(
            "mixtraining.data.source = ~anna: only ~/ is expanded to a home directory")
        .hasMessageContaining(
            "mixtraining.run.output = [\"a\"]: must be a path; in quotes if it begins with a bracket")
        .hasMessageContaining("-D data.path=[1] b: must be key=value, and HOCON if");
    assertThat(load("data.path=\"[1] b\"").data().path()).isEqualTo("[1] b");
  }

  private static JobConfig load(String... overrides) {
    return JobConfig.load(Optional.empty(), List.of(overrides));
  }

  @Test
  void whatIsNoPathIsRefused() {
    for (String none : List.of("", "a\0b")) {
      assertThatThrownBy(() -> Location.path(none)).hasMessage("must be a path");
    }
    assertThatThrownBy(() -> Location.file("s3a://bucket/x"))
        .hasMessage("must be a file on this machine");
    assertThatThrownBy(() -> load("data.path=hdfs://[/x"))
        .isInstanceOf(UserException.class)
        .hasMessageStartingWith("mixtraining.data.path = hdfs://[/x: is not a path: ");
    assertThatThrownBy(() -> load("data.source=\"a\\u0000b\"", "run.output= "))
        .hasMessageContaining("b: must be a path")
        .hasMessageContaining("mixtraining.run.output = \"\": must be a path");
  }

  @Test
  void whatIsWrittenMustNotLieAmongRawImages() throws IOException {
    Path raw = Files.createDirectory(directory.resolve("raw"));
    Path link = Files.createSymbolicLink(directory.resolve("link"), raw);

    assertRefused(raw, "data.path", raw + "/shards");
    assertRefused(raw, "data.path", raw.toString());
    assertRefused(raw, "data.path", link + "/shards");
    assertRefused(link, "data.path", raw + "/a/../b");
    assertRefused(raw, "run.output", "file:" + raw + "/runs");
    assertRefused(raw, "tracking.event-log", directory + "/raw//log");
    Layout.check(from(raw, "data.path", raw + "s"));
    Layout.check(from(raw, "run.output", directory.toString()));
    JobConfig around = from(raw, "data.path", directory.toString());
    assertThatThrownBy(() -> Layout.check(around))
        .hasMessage(
            "mixtraining.data.source = %s: is inside mixtraining.data.path = %s, which prepare replaces as a whole; choose a directory outside"
                .formatted(raw, directory));
    JobConfig inside = load("data.path=" + raw, "run.output=" + link + "/runs");
    assertThatThrownBy(() -> Layout.checkReplaced(inside))
        .hasMessageContaining(
            "mixtraining.run.output = %s/runs: is inside mixtraining.data.path = %s"
                .formatted(link, raw));
  }

  private void assertRefused(Path source, String key, String place) {
    assertThatThrownBy(() -> Layout.check(from(source, key, place)))
        .hasMessage(
            "mixtraining.%s = %s: is inside mixtraining.data.source = %s, where it would be taken for raw images; choose a directory outside"
                .formatted(key, place, source));
  }

  private JobConfig from(Path source, String key, String place) {
    return load(
        "data.format=folder",
        "data.source=" + source,
        "data.path=" + directory + "/d",
        "run.output=" + directory + "/r",
        key + "=" + place);
  }

  @Test
  void aMarkIsNoText() throws IOException {
    assertThat(Text.of(new byte[] {(byte) 0xEF, (byte) 0xBB, (byte) 0xBF, 'a'})).isEqualTo("a");
    assertThat(Text.of("ä".getBytes(StandardCharsets.UTF_8))).isEqualTo("ä");
    assertThatThrownBy(() -> Text.of("ä".getBytes(StandardCharsets.UTF_16)))
        .hasMessage("is not UTF-8 text; save it as such");
    Path file = directory.resolve("a.conf");
    Files.writeString(file, "\uFEFFmixtraining.run.id = a");
    assertThat(JobConfig.load(Optional.of(file), List.of()).run().id()).isEqualTo("a");
    Files.writeString(file, "mixtraining.run.id = a", StandardCharsets.UTF_16LE);
    assertThatThrownBy(() -> JobConfig.load(Optional.of(file), List.of()).run().id());
    Files.write(file, new byte[] {(byte) 0xFF, (byte) 0xFE});
    assertThatThrownBy(() -> JobConfig.load(Optional.of(file), List.of()))
        .hasMessage("configuration file %s: is not UTF-8 text; save it as such".formatted(file));
  }
}
