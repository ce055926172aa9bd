package org.mixtraining.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mixtraining.spark.PackagedJob;

/**
 * What the launchers in submit/ say, and the lines of submit/examples that call them. It needs the
 * packaged job, as {@code mvn verify} makes it.
 */
@Tag("cluster")
class SubmitTest {
  @TempDir static Path directory;
  private static Path home;

  @BeforeAll
  static void needThePackage() throws IOException {
    PackagedJob.assumeBuilt();
    makeSparkHome();
  }

  /**
   * Spark's own SparkSubmit, whose script is in no jar; for a driver on a cluster what it would
   * log.
   */
  private static void makeSparkHome() throws IOException {
    home = Files.createDirectory(directory.resolve("spark"));
    Files.createDirectory(home.resolve("conf"));
    Files.createSymbolicLink(home.resolve("jars"), Path.of("target/spark/jars").toAbsolutePath());
    Path script = Files.createDirectory(home.resolve("bin")).resolve("spark-submit");
    Files.writeString(
        script,
        """
        #!/usr/bin/env bash
        if [ -n "${WORDS:-}" ]; then
          echo " $* " >>"$WORDS"
          exit 0
        fi
        if [ -n "${LOGS:-}" ] && [[ " $* " = *' --deploy-mode cluster '* ]]; then
          echo "$LOGS" >&2
          exit "${EXITS:-0}"
        fi
        exec java --add-opens=java.base/java.nio=ALL-UNNAMED --add-opens=java.base/sun.nio.ch=ALL-UNNAMED \\
          -cp "$SPARK_HOME/conf:$SPARK_HOME/jars/*:${HADOOP_CONF_DIR:-}" org.apache.spark.deploy.SparkSubmit "$@"
        """);
    assertThat(script.toFile().setExecutable(true)).isTrue();
  }

  private record Said(int exitCode, String out, String err) {}

  private static Said run(Map<String, String> environment, String... words) throws Exception {
    Path out = Files.createTempFile(directory, "out", "");
    Path err = Files.createTempFile(directory, "err", "");
    ProcessBuilder builder =
        new ProcessBuilder(words).redirectOutput(out.toFile()).redirectError(err.toFile());
    builder.environment().put("SPARK_HOME", home.toString());
    builder.environment().put("MASTER", "spark://host:7077");
    builder.environment().put("KUBERNETES_MASTER", "k8s://https://host:6443");
    builder.environment().put("MIXTRAINING_IMAGE", "registry/mixtraining:cuda");
    builder.environment().putAll(environment);
    int exitCode = builder.start().waitFor();
    return new Said(exitCode, Files.readString(out), Files.readString(err));
  }

  private static Said print(String launcher, String... command) throws Exception {
    List<String> words = new ArrayList<>(List.of("submit/" + launcher, "--print"));
    words.addAll(Arrays.asList(command));
    return run(Map.of(), words.toArray(String[]::new));
  }

  /** Of the job and of its plan, which both read what Kerberos guards. */
  @Test
  void keytabAndPrincipalReachThePlanAndTheJob() throws Exception {
    Path words = directory.resolve("words");
    Said said =
        run(
            Map.of(
                "WORDS",
                words.toString(),
                "MIXTRAINING_SUBMIT_OPTIONS",
                "--keytab /etc/me.keytab --principal me@REALM --queue night"),
            "submit/yarn",
            "sql",
            "-e",
            "select 1");

    assertThat(said.exitCode()).as(said.err()).isZero();
    assertThat(Files.readAllLines(words))
        .hasSize(2)
        .allMatch(line -> line.contains(" --keytab /etc/me.keytab --principal me@REALM "));
    assertThat(Files.readAllLines(words).get(0)).contains(" resources --for yarn sql ");
    assertThat(Files.readAllLines(words).get(1)).contains(" --master yarn ", "--queue night ");
  }

  private static final String[] TRAIN = {
    "train", "-D", "workers={count = 4, per-executor = 2, threads-per-worker = 3, device = gpu}"
  };

  @ParameterizedTest
  @CsvSource({
    "standalone, --master spark://host:7077, spark.cores.max=12",
    "yarn, --master yarn --deploy-mode client --files, spark.executor.instances=2",
    "kubernetes, --master k8s://https://host:6443 --deploy-mode cluster, spark.executor.instances=2"
  })
  void aLauncherPrintsTheSparkSubmitLine(String launcher, String master, String executors)
      throws Exception {
    Said said = print(launcher, TRAIN);

    assertThat(said.exitCode()).as(said.err()).isZero();
    assertThat(said.out().lines()).hasSize(1);
    assertThat(said.out())
        .contains("/bin/spark-submit --class org.mixtraining.cli.Main " + master)
        .contains("--conf " + executors + " ")
        .contains("--conf spark.executor.cores=6 ", "--conf spark.task.cpus=3 ")
        .contains("--conf spark.executor.resource.gpu.amount=2 ")
        .contains("--conf spark.speculation=false ")
        .contains("spark.executor.defaultJavaOptions=--add-modules=jdk.incubator.vector")
        .containsPattern("defaultJavaOptions=(\\\\ |\\S)+ -XX:\\+ExitOnOutOfMemoryError --conf")
        .contains("mixtraining.jar train -D ");
  }

  @Test
  void theImageIsWhereTheJarIsOnKubernetes() throws Exception {
    assertThat(print("kubernetes", TRAIN).out())
        .contains("local:///opt/mixtraining/mixtraining.jar train ")
        .contains("spark.kubernetes.container.image=registry/mixtraining:cuda ")
        .contains("spark.executor.resource.gpu.vendor=nvidia.com ");
  }

  @Test
  void whatIsNoTrainingAsksForNoGpusAndOwnOptionsWin() throws Exception {
    Said said =
        run(
            Map.of("MIXTRAINING_SUBMIT_OPTIONS", "--conf spark.executor.cores=9"),
            "submit/yarn",
            "--print",
            "sql",
            "-e",
            "select 1");

    assertThat(said.out()).doesNotContain("gpu.amount").contains("select\\ 1");
    assertThat(said.out().indexOf("spark.executor.cores=9"))
        .isGreaterThan(said.out().indexOf("spark.speculation=false"));
  }

  /** Or the plan would say that nothing is prepared, and leave the memory out. */
  @ParameterizedTest
  @CsvSource({"standalone", "yarn", "kubernetes"})
  void theLaunchersPlanSeesTheHadoopOfTheJob(String launcher) throws Exception {
    Path hadoop = Files.createDirectories(directory.resolve("hadoop"));
    Files.writeString(
        hadoop.resolve("core-site.xml"),
        "<configuration><property><name>fs.defaultFS</name><value>hdfs://ours</value></property></configuration>");

    Said said =
        run(
            Map.of("HADOOP_CONF_DIR", hadoop.toString()),
            "submit/" + launcher,
            "--print",
            "train",
            "-D",
            "data.path=/shards");

    assertThat(said.err()).contains("hdfs://ours");
    assertThat(said.exitCode()).isEqualTo(2);
  }

  @Test
  void sparksDefaultsAndOptionsReachThePlanToo() throws Exception {
    Path defaults = home.resolve("conf/spark-defaults.conf");
    Files.writeString(defaults, "spark.hadoop.fs.defaultFS hdfs://theirs\n");
    try {
      assertThat(print("standalone", "train", "-D", "data.path=/shards").err())
          .contains("hdfs://theirs");
    } finally {
      Files.delete(defaults);
    }
    Said said =
        run(
            Map.of("MIXTRAINING_SUBMIT_OPTIONS", "--conf spark.hadoop.fs.defaultFS=hdfs://mine"),
            "submit/yarn",
            "--print",
            "train",
            "-D",
            "data.path=/shards");
    assertThat(said.err()).contains("hdfs://mine");
  }

  @ParameterizedTest
  @CsvSource({
    "kubernetes, '\t container name: spark-kubernetes-driver\n\t exit code: 0\n', 0, 0",
    "kubernetes, '\t container name: spark-kubernetes-driver\n\t exit code: 4\n', 0, 4",
    "kubernetes, '\t container name: spark-kubernetes-driver\n\t exit code: 2\n\n\t container name: istio-proxy\n\t exit code: 0\n', 0, 2",
    "kubernetes, '\t container name: istio-proxy\n\t exit code: 0\n', 0, 1",
    "kubernetes, 'INFO nothing', 0, 1",
    "yarn, 'diagnostics: User application exited with status 2', 1, 2",
    "yarn, 'Application application_1 finished with failed status', 1, 1",
    "yarn, 'final status: SUCCEEDED', 0, 0"
  })
  void theExitCodeIsThatOfTheDriverOnTheCluster(
      String launcher, String logged, String submits, int expected) throws Exception {
    Said said =
        run(
            Map.of("LOGS", logged, "EXITS", submits, "DEPLOY_MODE", "cluster"),
            "submit/" + launcher,
            "train",
            "-D",
            "data.path=none");

    assertThat(said.exitCode()).as(said.err()).isEqualTo(expected);
    assertThat(said.err()).contains(logged.strip());
  }

  @Test
  void aDriverOnYarnGetsTheFilesOfItsConfiguration() throws Exception {
    Said said =
        run(
            Map.of("DEPLOY_MODE", "cluster"),
            "submit/yarn",
            "--print",
            "train",
            "--conf",
            "conf/cifar10.conf");

    assertThat(said.exitCode()).as(said.err()).isZero();
    assertThat(said.out())
        .contains("--deploy-mode cluster --files ")
        .contains("/submit/gpus.sh\\,conf/cifar10.conf ")
        .contains("mixtraining.jar train --conf cifar10.conf ");
  }

  @Test
  void badInputEndsALauncherWithItsReason() throws Exception {
    Said wrong = print("yarn", "train", "-D", "workers.count=none");
    assertThat(wrong.exitCode()).isEqualTo(2);
    assertThat(wrong.err()).contains("mixtraining.workers.count = none: must be a whole number");
    assertThat(wrong.out()).isEmpty();

    Said nowhere = run(Map.of("MASTER", ""), "submit/standalone", "--print", "train");
    assertThat(nowhere.exitCode()).isEqualTo(2);
    assertThat(nowhere.err()).contains("MASTER is not set; see standalone --help");
  }

  @Test
  void theDagsCommandsRun() throws Exception {
    Path airflow = Files.createDirectories(directory.resolve("stub/airflow/operators"));
    Files.writeString(
        airflow.resolveSibling("__init__.py"),
        """
        class DAG:
            def __init__(self, **settings): pass
            def __enter__(self): return self
            def __exit__(self, *error): pass
        """);
    Files.writeString(airflow.resolve("__init__.py"), "");
    Files.writeString(
        airflow.resolve("bash.py"),
        """
        class BashOperator:
            def __init__(self, task_id, bash_command, **settings):
                self.bash_command = bash_command
            def __rshift__(self, other): return other
        """);
    Said commands =
        run(
            Map.of(
                "PYTHONPATH",
                directory.resolve("stub") + ":submit/examples",
                "PYTHONDONTWRITEBYTECODE",
                "1",
                "MIXTRAINING_DATA",
                "s3a://b/x",
                "MIXTRAINING_HOME",
                "."),
            "python3",
            "-c",
            "import json, airflow_mixtraining as m; print(json.dumps([t.bash_command for t in (m.prepare, m.train, m.result)]))");
    assumeTrue(commands.exitCode() != 127, "there is no python3");
    assertThat(commands.exitCode()).as(commands.err()).isZero();

    JsonNode list = new ObjectMapper().readTree(commands.out());
    assertThat(list).hasSize(3);
    String giveUp = "; code=$?; [ \"$code\" -ne 2 ] || exit 99; exit \"$code\"";
    assertThat(list)
        .extracting(JsonNode::asText)
        .containsExactly(
            "cd . && submit/standalone prepare --keep --conf conf/quickstart.conf"
                + " -D data.path=s3a://b/x/daily-{{ ds_nodash }}"
                + giveUp,
            "cd . && submit/standalone train --conf conf/quickstart.conf"
                + " -D data.path=s3a://b/x/daily-{{ ds_nodash }} -D run.id=daily-{{ ds_nodash }}"
                + giveUp,
            "cd . && MASTER='local[*]' submit/mixtraining sql --conf conf/quickstart.conf --json -e"
                + " \"select run_id, best_epoch, test_accuracy_at_best from runs"
                + " where run_id = 'daily-{{ ds_nodash }}'\"");
    for (JsonNode command : List.of(list.get(0), list.get(1))) {
      String here = command.asText().replace("s3a://b/x", "data");
      Said said = dry(here.replace("{{ ds_nodash }}", "20260101"));
      assertThat(said.exitCode()).as(said.err()).isZero();
      assertThat(said.out()).contains("/bin/spark-submit --class", "daily-20260101");
    }
    Path words = directory.resolve("asked");
    Said asked = run(Map.of("WORDS", words.toString()), "bash", "-c", list.get(2).asText());
    assertThat(asked.exitCode()).as(asked.err()).isZero();
    assertThat(Files.readString(words))
        .contains(
            " --master local[*] ", " sql --conf conf/quickstart.conf --json -e select run_id");
    Said bad =
        run(
            Map.of(),
            "bash",
            "-c",
            list.get(1)
                .asText()
                .replace("--conf", "--no-such-option")
                .replace("submit/standalone", "submit/standalone --print"));
    assertThat(bad.exitCode()).as("Airflow's code for: do not try again").isEqualTo(99);
  }

  /** A shell line, its launcher told to print only. */
  private static Said dry(String line) throws Exception {
    return run(
        Map.of("MIXTRAINING_HOME", "."),
        "bash",
        "-c",
        line.replace("submit/standalone", "submit/standalone --print"));
  }

  @Test
  void cronsAndSystemdsLinesRun() throws Exception {
    String here = Path.of("").toAbsolutePath().toString();
    String cron = lineWith("crontab", "submit/standalone");
    String fromCron =
        cron.substring(cron.indexOf("cd "))
            .replace("\\%", "%")
            .replaceAll(" >>.*", "")
            .replace("/opt/mixtraining", here);
    String service = lineWith("mixtraining.service", "ExecStart=");
    String fromService =
        service.substring(service.indexOf('\'') + 1, service.lastIndexOf('\'')).replace("%%", "%");

    for (String line : List.of(fromCron, fromService)) {
      Said said = dry(line);
      assertThat(said.exitCode()).as(said.err()).isZero();
      assertThat(said.out()).containsPattern("mixtraining.jar train .*run.id=nightly-\\d{8}");
    }
  }

  private static String lineWith(String file, String word) throws IOException {
    return Files.readAllLines(Path.of("submit/examples", file), StandardCharsets.UTF_8).stream()
        .filter(line -> line.contains(word) && !line.startsWith("#"))
        .findFirst()
        .orElseThrow();
  }
}
