package org.mixtraining.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A command as the Kubernetes operator for Spark runs it: a {@code SparkApplication} of its API
 * {@code sparkoperator.k8s.io/v1beta2}, in JSON, which is YAML too. What a plan asks for is in
 * {@code sparkConf}, to which the operator's own defaults give way.
 *
 * @param image of driver and executors, one of docker/
 * @param words the command and its arguments
 * @param settings of Spark
 * @param sparkVersion that of the image
 */
record SparkApplication(
    String image, List<String> words, Map<String, String> settings, String sparkVersion) {

  private static final JsonMapper JSON =
      JsonMapper.builder().enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS).build();

  /** A run that is tried again goes on, and waits for one that another process trains. */
  private static final Map<String, Object> RESTART =
      Map.of(
          "type", "OnFailure",
          "onFailureRetries", 3,
          "onFailureRetryInterval", 60,
          "onSubmissionFailureRetries", 3,
          "onSubmissionFailureRetryInterval", 60);

  String json() {
    Map<String, String> conf = new TreeMap<>(settings);
    // A speculative copy of a worker would train the same epoch twice in vain.
    conf.put("spark.speculation", "false");
    ObjectNode application =
        JSON.createObjectNode()
            .put("apiVersion", "sparkoperator.k8s.io/v1beta2")
            .put("kind", "SparkApplication");
    application.putObject("metadata").put("name", "mixtraining-" + words.get(0));
    ObjectNode spec =
        application
            .putObject("spec")
            .put("type", "Java")
            .put("mode", "cluster")
            .put("sparkVersion", sparkVersion)
            .put("image", image)
            .put("mainClass", Main.class.getName())
            .put("mainApplicationFile", "local:///opt/mixtraining/mixtraining.jar");
    spec.set("arguments", JSON.valueToTree(words));
    spec.set("sparkConf", JSON.valueToTree(conf));
    spec.putObject("driver").put("serviceAccount", "spark");
    spec.putObject("executor");
    spec.set("restartPolicy", JSON.valueToTree(new TreeMap<>(RESTART)));
    try {
      return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(application);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }
}
