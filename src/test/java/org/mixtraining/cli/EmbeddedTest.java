package org.mixtraining.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.apache.spark.SparkConf;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mixtraining.config.UserException;

class EmbeddedTest {
  private static SparkConf on(String master) {
    SparkConf conf = new SparkConf(false).set("spark.task.cpus", "2");
    Embedded.configure(conf, master);
    return conf;
  }

  @ParameterizedTest
  @ValueSource(strings = {"local-cluster[2,2,1024]", "local-cluster[ 2 , 2 , 1024 ]"})
  void executorsOfThisMachineGetTheJobAndItsFlags(String master) {
    SparkConf conf = on(master);

    assertThat(conf.get("spark.executor.extraClassPath")).isNotEmpty();
    assertThat(conf.get("spark.executor.extraJavaOptions")).isEqualTo(Embedded.FLAGS);
    assertThat(conf.get("spark.executor.memory")).isEqualTo("1024m");
  }

  @Test
  void soDoThoseOfAnother() {
    SparkConf conf = on("spark://host:7077");

    assertThat(conf.get("spark.executor.extraJavaOptions")).isEqualTo(Embedded.FLAGS);
    assertThat(conf.contains("spark.jars") || conf.contains("spark.executor.extraClassPath"))
        .isTrue();
    assertThat(conf.contains("spark.executor.memory")).isFalse();
  }

  @ParameterizedTest
  @ValueSource(strings = {"local[2]", "local[ 2 ]", "local[2,3]", "local[64, 1]"})
  void oneProcessNeedsNothing(String master) {
    assertThat(on(master).contains("spark.executor.extraClassPath")).isFalse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "yarn",
        "k8s://https://host",
        "mesos://host",
        "local-cluster[2,1]",
        "local[x]",
        "Local",
        "."
      })
  void anotherMasterIsRefused(String master) {
    assertThatThrownBy(() -> on(master))
        .isInstanceOf(UserException.class)
        .hasMessage(
            "MASTER = %s: the embedded Spark supports local, local[cores], local[*], local[cores,failures], local-cluster[executors,cores,MB] and spark://host:port; for another master set SPARK_HOME to a Spark"
                .formatted(master));
  }

  @Test
  void oneThatCannotServeIsRefused() {
    assertThatThrownBy(() -> on("local"))
        .hasMessage(
            "MASTER = local: has 1 cores for tasks of 2 (mixtraining.workers.threads-per-worker)");
    assertThatThrownBy(() -> on("local-cluster[2,1,1024]")).hasMessageContaining("has 1 cores");
    assertThatThrownBy(() -> on("local-cluster[2,2,100]"))
        .hasMessage(
            "MASTER = local-cluster[2,2,100]: needs at least 1 executor, and 512 MB for each");
  }
}
