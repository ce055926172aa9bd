package org.mixtraining.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** Spark's own cluster, its Master and Workers in processes of their own. */
final class StandaloneCluster implements AutoCloseable {
  private final Path directory;
  private final Path home;
  private final String master;
  private final List<Process> processes = new ArrayList<>();

  /**
   * A master; workers come by {@link #worker}.
   *
   * @param jars of a Spark
   */
  StandaloneCluster(Path directory, Path jars) throws IOException {
    this.directory = directory;
    this.home = SparkHome.in(directory.resolve("spark-home"), jars);
    int port;
    try (ServerSocket free = new ServerSocket(0)) {
      port = free.getLocalPort();
    }
    this.master = "spark://127.0.0.1:" + port;
    start(
        "master",
        "bin/spark-class",
        "org.apache.spark.deploy.master.Master",
        "--host",
        "127.0.0.1",
        "--port",
        "" + port,
        "--webui-port",
        "0");
    await("master", "I have been elected leader");
  }

  /** A Spark home, as it would be installed. */
  Path home() {
    return home;
  }

  /** The master's address. */
  String master() {
    return master;
  }

  /** A worker with one core and one GPU, of which a script tells the address. */
  Process worker(String gpu) throws IOException {
    return worker(gpu, 1, "\"%s\"".formatted(gpu), "");
  }

  /**
   * A worker with as many cores as GPUs.
   *
   * @param addresses of the GPUs, in JSON
   * @param settings more of them, a line each
   */
  Process worker(String name, int gpus, String addresses, String settings) throws IOException {
    Path script = directory.resolve("gpu-" + name + ".sh");
    Files.writeString(
        script, "#!/bin/sh\necho '{\"name\":\"gpu\",\"addresses\":[%s]}'\n".formatted(addresses));
    script.toFile().setExecutable(true);
    Path properties = directory.resolve("worker-" + name + ".conf");
    Files.writeString(
        properties,
        "spark.worker.resource.gpu.amount %s\nspark.worker.resource.gpu.discoveryScript %s\n%s"
            .formatted(gpus, script, settings));
    Process worker =
        start(
            "worker-" + name,
            "bin/spark-class",
            "org.apache.spark.deploy.worker.Worker",
            "--host",
            "127.0.0.1",
            "--cores",
            "" + gpus,
            "--memory",
            2 * gpus + "g",
            "--webui-port",
            "0",
            "--work-dir",
            directory.resolve("work-" + name).toString(),
            "--properties-file",
            properties.toString(),
            master);
    await("worker-" + name, "Successfully registered with master");
    return worker;
  }

  /** Kills a worker with the executors that it has started. */
  static void kill(Process worker) {
    List<ProcessHandle> family = new ArrayList<>(worker.descendants().toList());
    worker.destroyForcibly();
    family.forEach(ProcessHandle::destroyForcibly);
  }

  private Process start(String name, String... command) throws IOException {
    List<String> words = new ArrayList<>(Arrays.asList(command));
    words.set(0, home.resolve(words.get(0)).toString());
    Process process = process(name, words, Map.of()).start();
    processes.add(process);
    return process;
  }

  /** A command that speaks into files of this name, with this cluster for its own. */
  ProcessBuilder process(String name, List<String> words, Map<String, String> environment) {
    ProcessBuilder builder =
        new ProcessBuilder(words)
            .redirectOutput(log(name).toFile())
            .redirectError(log(name + "-errors").toFile());
    builder.environment().put("SPARK_HOME", home.toString());
    builder.environment().put("SPARK_LOCAL_IP", "127.0.0.1");
    builder.environment().put("MASTER", master);
    builder.environment().putAll(environment);
    return builder;
  }

  private Path log(String name) {
    return directory.resolve(name + ".txt");
  }

  /** What a command has said so far, first of all its result. */
  String said(String name) {
    return result(name) + result(name + "-errors");
  }

  /** What it has printed. */
  String result(String name) {
    try {
      return Files.readString(log(name));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void await(String name, String word) {
    await(name, () -> said(name).contains(word));
  }

  /** Waits for something that a command is to bring about. */
  void await(String name, BooleanSupplier condition) {
    long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(3);
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > end) {
        throw new AssertionError("waited in vain; it said:\n" + said(name));
      }
      try {
        Thread.sleep(100);
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }
  }

  @Override
  public void close() {
    processes.forEach(StandaloneCluster::kill);
  }
}
