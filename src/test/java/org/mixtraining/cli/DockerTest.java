package org.mixtraining.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Properties;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Every path, class, port and command that docker/ names, since no engine runs where it is built.
 */
class DockerTest {

  private static String read(String file) throws IOException {
    return Files.readString(Path.of("docker", file));
  }

  private static List<String> found(String pattern, String text) {
    return Pattern.compile(pattern, Pattern.MULTILINE)
        .matcher(text)
        .results()
        .map((MatchResult match) -> match.group(1))
        .toList();
  }

  @ParameterizedTest
  @ValueSource(strings = {"Dockerfile", "Dockerfile.gpu"})
  void anImageCopiesWhatIsThereAndRunsAsNobodySpecial(String file) throws IOException {
    String text = read(file);
    List<String> sources =
        found("^COPY (?!--from)(.*) \\S+$", text).stream()
            .flatMap(paths -> Arrays.stream(paths.split(" ")))
            .toList();

    assertThat(sources)
        .contains("target/mixtraining.jar", "submit/", "docker/healthy")
        .allSatisfy(
            path -> {
              assertThat(path.startsWith("target/") || Files.exists(Path.of(path))).isTrue();
              assertThat(Files.readString(Path.of(".dockerignore")))
                  .as("in the build's context")
                  .contains("\n!" + (path.startsWith("target/") ? path : path.split("/")[0]));
            });
    List<String> users = found("^USER (.*)$", text);
    assertThat(users.get(users.size() - 1)).isEqualTo("spark");
    assertThat(found("(?:^FROM |CUDA=)([^$\\s]\\S+)", text))
        .as("bases are pinned")
        .isNotEmpty()
        .allMatch(base -> base.matches("[a-z/]+:.*\\d+\\.\\d+\\.\\d+.*"));
    assertThat(text).contains("HEALTHCHECK");
    assertThat(found("image.version=\"(\\S+)\"", text))
        .as("the version that the jar says")
        .containsExactlyElementsOf(
            found("^  <version>(.*)</version>", Files.readString(Path.of("pom.xml"))));
    assertThat(found("^(ARG|FROM|RUN|COPY|USER|WORKDIR|ENV|ENTRYPOINT|HEALTHCHECK|LABEL)\\b", text))
        .hasSameSizeAs(text.lines().filter(line -> line.matches("[A-Za-z].*")).toList());
  }

  /** Its jars are those that the tests of an object store use. */
  @Test
  void anyImageOfOursCanHaveTheFilesOfAnObjectStore() throws IOException {
    String text = read("Dockerfile.s3");
    List<String> images =
        found("-t (mixtraining:\\S+)", read("Dockerfile") + read("Dockerfile.gpu"));

    assertThat(images).containsExactly("mixtraining:cpu", "mixtraining:gpu", "mixtraining:cuda");
    assertThat(images).containsAll(found("IMAGE=(mixtraining:\\S+)", text));
    assertThat(found("^FROM (\\S+)", text)).containsExactly("${IMAGE}");
    assertThat(found("^COPY (target/[\\w-]+)/ /opt/spark/jars/$", text))
        .isEqualTo(found("-DoutputDirectory=(\\S+)", text))
        .allSatisfy(
            jars -> assertThat(Files.readString(Path.of(".dockerignore"))).contains("\n!" + jars));
    assertThat(found("-DincludeArtifactIds=(\\S+)", text))
        .containsExactly("hadoop-aws,aws-java-sdk-bundle");
    assertThat(found("-P(\\S+)", text))
        .allSatisfy(
            profile ->
                assertThat(Files.readString(Path.of("pom.xml")))
                    .contains("<id>" + profile + "</id>"));
  }

  @Test
  void theContainersRunClassesOfSpark() throws IOException {
    List<String> classes = found("\"(org\\.apache\\.spark\\.[\\w.]+)\"", read("compose.yaml"));

    assertThat(classes)
        .hasSize(3) // worker-2 is as worker-1
        .allSatisfy(
            name ->
                assertThat(Class.forName(name, false, getClass().getClassLoader())).isNotNull());
    String sink = read("metrics.properties");
    assertThat(found("class=(.*)$", sink))
        .allSatisfy(
            name ->
                assertThat(Class.forName(name, false, getClass().getClassLoader())).isNotNull());
  }

  @Test
  void prometheusScrapesServicesThatAreThereOnTheirPorts() throws IOException {
    String compose = read("compose.yaml");
    TreeSet<String> services = new TreeSet<>(found("^  ([\\w-]+):(?: &worker)?$", compose));
    assertThat(services).contains("master", "worker-1", "worker-2", "history", "prometheus");

    List<String> targets = found("\"([\\w-]+:\\d+)\"", read("prometheus.yml"));
    assertThat(targets).contains("master:8080", "worker-1:8081", "worker-2:8081");
    assertThat(targets).allMatch(target -> services.contains(target.split(":")[0]));
    assertThat(compose).contains("\"--webui-port\", \"8080\"", "\"--webui-port\", \"8081\"");
    assertThat(found("HEALTH_PORT: \"(\\d+)\"", compose)).containsExactly("8080", "8081", "18080");
    assertThat(compose)
        .contains("-Dlog4j2.configurationFile=/opt/mixtraining/conf/log4j2.properties");
    assertThat(Path.of("conf/log4j2.properties")).exists();
    assertThat(Path.of("docker/prometheus.yml")).exists();
    assertThat(compose).contains("./prometheus.yml:");

    Properties paths = new Properties();
    try (var in = Files.newInputStream(Path.of("docker/metrics.properties"))) {
      paths.load(in);
    }
    // With the slash at its end, to which Spark would redirect every scrape.
    assertThat(found("metrics_path: (.*)$", read("prometheus.yml")))
        .contains(
            paths.getProperty("*.sink.prometheusServlet.path") + "/",
            paths.getProperty("master.sink.prometheusServlet.path") + "/");
  }

  @Test
  void theCommandsOfTheHeadsAreThere() throws IOException {
    String commands =
        read("compose.yaml") + read("Dockerfile") + read("Dockerfile.gpu") + read("Dockerfile.s3");

    assertThat(found("-f (docker/\\S+)", commands))
        .isNotEmpty()
        .allSatisfy(file -> assertThat(Path.of(file)).exists());
    assertThat(found("(submit/\\S+) ", commands)).isNotEmpty();
    assertThat(found("exec master (submit/\\S+)", commands))
        .allSatisfy(file -> assertThat(Path.of(file)).isExecutable());
    assertThat(found("--conf (conf/\\S+)", commands))
        .allSatisfy(file -> assertThat(Path.of(file)).exists());
  }

  @Test
  void scriptsCanBeRun() throws IOException {
    try (Stream<Path> scripts =
        Stream.concat(Files.list(Path.of("submit")), Stream.of(Path.of("docker/healthy")))) {
      assertThat(scripts.filter(Files::isRegularFile).filter(f -> !f.endsWith("launch.sh")))
          .allSatisfy(script -> assertThat(script).isExecutable());
    }
  }
}
