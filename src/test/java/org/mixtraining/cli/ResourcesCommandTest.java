package org.mixtraining.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.Test;

class ResourcesCommandTest {

  private static String run(String... words) {
    Printed printed = Printed.by(words);
    assertThat(printed.exitCode()).as(printed.err()).isZero();
    return printed.out();
  }

  private static final String WORKERS = "workers={count = 4, per-executor = 2, device = gpu}";

  @Test
  void aDryRunTellsTheEpochsAndWhatTheyTake() {
    String said = run("train", "--dry-run", "-D", WORKERS, "-D", "data.path=nothing-is-here");

    assertThat(said)
        .contains("SSL", "MIX", "SL")
        .containsPattern("workers +4  mixtraining.workers.count")
        .containsPattern("executors +2  mixtraining.workers.per-executor = 2")
        .containsPattern("GPUs per executor +2  one per worker; mixtraining.workers.device = gpu")
        .containsPattern("memory +\\?  unknown until the data is prepared");
  }

  @Test
  void theSettingsOfATrainingAreALineEach() {
    assertThat(run("resources", "--for", "yarn", "train", "-D", WORKERS, "--quiet").lines())
        .contains("spark.executor.instances=2", "spark.executor.resource.gpu.amount=2")
        .allMatch(line -> line.matches("spark\\.[\\w.]+=.*"));
    assertThat(run("resources", "--for", "yarn", "sql", "-e", "select 1").lines())
        .allMatch(line -> line.matches("spark\\.(driver|executor)\\.defaultJavaOptions=.*"));
  }

  /** Field by field as the operator's v1beta2 names, requires and types them. */
  @Test
  void theManifestOfATrainingIsASparkApplication() throws Exception {
    String said =
        run("resources", "--manifest", "registry/mixtraining:gpu", "train", "-D", WORKERS);

    JsonNode application = new ObjectMapper().readTree(said.substring(said.indexOf('{')));
    assertThat(application.get("apiVersion").asText()).isEqualTo("sparkoperator.k8s.io/v1beta2");
    assertThat(application.get("kind").asText()).isEqualTo("SparkApplication");
    assertThat(application.at("/metadata/name").asText()).matches("[a-z]([-a-z0-9]*[a-z0-9])?");
    JsonNode spec = application.get("spec");
    assertThat(spec.fieldNames())
        .toIterable()
        .containsExactlyInAnyOrder(
            "type",
            "mode",
            "sparkVersion",
            "image",
            "mainClass",
            "mainApplicationFile",
            "arguments",
            "sparkConf",
            "driver",
            "executor",
            "restartPolicy");
    assertThat(spec.get("type").asText()).isEqualTo("Java");
    assertThat(spec.get("sparkVersion").asText()).startsWith("3.5.");
    assertThat(spec.get("arguments"))
        .extracting(JsonNode::textValue)
        .containsExactly("train", "-D", WORKERS);
    assertThat(spec.get("sparkConf")).allMatch(JsonNode::isTextual, "a map of strings");
    assertThat(spec.at("/sparkConf/spark.executor.instances").asText()).isEqualTo("2");
    assertThat(spec.at("/sparkConf/spark.executor.resource.gpu.vendor").asText())
        .isEqualTo("nvidia.com");
    assertThat(spec.get("restartPolicy").get("onFailureRetries").isInt()).isTrue();

    Printed alone = Printed.by("resources", "--manifest", "image");
    assertThat(alone.exitCode()).isEqualTo(2);
    assertThat(alone.err()).contains("--manifest image: needs the command");
  }
}
