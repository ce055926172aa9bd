package org.mixtraining.cli;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;

/**
 * YARN and an HDFS of two NameNodes, {@code hdfs://ours}, in a process of their own, and a Spark
 * that runs on them.
 */
final class YarnCluster implements AutoCloseable {
  private static final String MASTER = "org.apache.spark.deploy.yarn.ApplicationMaster";

  private final Path directory;
  private final Path home;
  private final Path site;
  private final Process hadoop;

  /** Skips a test where the job, or the jars that it needs of Hadoop, are not there. */
  static void assumeBuilt(Path jars) {
    assumeTrue(
        Files.exists(Path.of("target/mixtraining.jar")) && Files.isDirectory(jars),
        "needs target/mixtraining.jar and target/yarn, which mvn verify -Pyarn makes");
  }

  /** A Spark that can ask YARN, and log in. */
  static Path spark(Path directory) throws IOException {
    return SparkHome.in(
        directory.resolve("spark-home"),
        Path.of("target/spark/jars"),
        Path.of("target/yarn/spark"));
  }

  YarnCluster(Path directory) throws Exception {
    this.directory = directory;
    this.home = spark(directory);
    Files.writeString(
        Files.createDirectory(home.resolve("conf")).resolve("spark-defaults.conf"),
        """
        spark.yarn.jars local:%s/*
        spark.yarn.submit.file.replication 1
        spark.yarn.am.memory 512m
        spark.ui.enabled false
        """
                .formatted(home.resolve("jars"))
            + kernels());
    Path own = Files.createDirectory(directory.resolve("hadoop"));
    this.site = Files.createDirectory(own.resolve("conf"));
    String libraries = Path.of("target/yarn/hadoop") + "/*:" + Path.of("target/spark/jars") + "/*";
    this.hadoop =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin/java").toString(),
                "-Xmx1g",
                "--add-opens=java.base/java.lang=ALL-UNNAMED",
                "--add-opens=java.base/java.util=ALL-UNNAMED",
                "-cp",
                site + ":" + libraries,
                "src/test/resources/yarn/MiniHadoop.java",
                own.toString())
            .redirectErrorStream(true)
            .redirectOutput(log("hadoop").toFile())
            .start();
    await("hadoop", () -> said("hadoop").contains("\nready\n"));
  }

  /** Containers multiply by the kernels that OpenBLAS is told to take here, for the same bits. */
  private static String kernels() {
    return System.getenv().entrySet().stream()
        .filter(variable -> variable.getKey().startsWith("OPENBLAS_"))
        .flatMap(
            variable ->
                Stream.of("spark.executorEnv.", "spark.yarn.appMasterEnv.")
                    .map(to -> to + variable.getKey() + " " + variable.getValue() + "\n"))
        .collect(Collectors.joining());
  }

  /** As clients of it are configured. */
  Configuration configuration() {
    Configuration configuration = new Configuration();
    for (String part : List.of("core", "hdfs", "yarn")) {
      configuration.addResource(new org.apache.hadoop.fs.Path(site + "/" + part + "-site.xml"));
    }
    return configuration;
  }

  /** Makes the other NameNode the active one. */
  void failOver() throws Exception {
    OutputStream in = hadoop.getOutputStream();
    in.write("failover\n".getBytes(StandardCharsets.UTF_8));
    in.flush();
    await("hadoop", () -> said("hadoop").contains("active: 1\n"));
  }

  /** A launcher's command that speaks into files of this name. */
  Process start(String name, Map<String, String> environment, List<String> words)
      throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(words).redirectErrorStream(true).redirectOutput(log(name).toFile());
    builder.environment().put("SPARK_HOME", home.toString());
    builder.environment().put("SPARK_LOCAL_IP", "127.0.0.1");
    builder.environment().put("HADOOP_CONF_DIR", site.toString());
    builder.environment().putAll(environment);
    return builder.start();
  }

  private Path log(String name) {
    return directory.resolve(name + ".txt");
  }

  /** What a command has said so far. */
  String said(String name) {
    try {
      return Files.readString(log(name));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** The driver that runs in YARN now, if there is one. */
  Optional<ProcessHandle> master() {
    return hadoop.descendants().filter(YarnCluster::isMaster).findFirst();
  }

  /** Java itself, and not the shells around it. */
  private static boolean isMaster(ProcessHandle process) {
    try {
      List<String> words =
          Stream.of(
                  Files.readString(
                          Path.of("/proc/" + process.pid() + "/cmdline"),
                          StandardCharsets.ISO_8859_1)
                      .split("\0", -1))
              .toList();
      return words.get(0).endsWith("java") && words.contains(MASTER);
    } catch (IOException e) { // it has ended
      return false;
    }
  }

  /** The names of all containers that there were. */
  Set<String> containers() throws IOException {
    Set<String> names = new TreeSet<>();
    try (var files = Files.walk(directory.resolve("hadoop/yarn"))) {
      files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.matches("container_\\d+_\\d+_\\d+_\\d+"))
          .forEach(names::add);
    }
    return names;
  }

  /** Waits for something that a command is to bring about. */
  void await(String name, Callable<Boolean> condition) throws Exception {
    long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(6);
    while (!condition.call()) {
      if (System.nanoTime() > end || !hadoop.isAlive()) {
        throw new AssertionError("waited in vain; it said:\n" + said(name));
      }
      Thread.sleep(50);
    }
  }

  @Override
  public void close() {
    List<ProcessHandle> family = new ArrayList<>(hadoop.descendants().toList());
    hadoop.destroyForcibly();
    family.forEach(ProcessHandle::destroyForcibly);
  }
}
