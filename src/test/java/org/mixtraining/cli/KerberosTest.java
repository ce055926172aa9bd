package org.mixtraining.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code submit/yarn} with a keytab, at a Kerberos server of its own. By {@code mvn verify -Pyarn}.
 */
@Tag("yarn")
class KerberosTest {
  private static final Path SERVER = Path.of("target/yarn/kdc");

  @TempDir Path directory;
  private Process server;
  private Path home;

  @BeforeEach
  void start() throws Exception {
    YarnCluster.assumeBuilt(SERVER);
    home = YarnCluster.spark(directory);
    Files.writeString(
        Files.createDirectory(directory.resolve("conf")).resolve("core-site.xml"),
        """
        <configuration>
          <property><name>hadoop.security.authentication</name><value>kerberos</value></property>
        </configuration>
        """);
    server =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin/java").toString(),
                "-cp",
                SERVER + "/*:target/spark/jars/*",
                "org.apache.hadoop.minikdc.MiniKdc",
                directory.toString(),
                Files.createFile(directory.resolve("kdc.properties")).toString(),
                directory.resolve("me.keytab").toString(),
                "me")
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve("kdc.txt").toFile())
            .start();
    long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(2);
    while (!Files.readString(directory.resolve("kdc.txt")).contains("Standalone MiniKdc Running")) {
      assertThat(server.isAlive() && System.nanoTime() < end).isTrue();
      Thread.sleep(50);
    }
  }

  @AfterEach
  void stop() throws Exception {
    if (server != null) {
      server.destroyForcibly().waitFor();
    }
  }

  /** The exit code of a launcher that only plans. */
  private int plan(String principal) throws Exception {
    ProcessBuilder builder =
        new ProcessBuilder("submit/yarn", "--print", "sql", "-e", "select 1")
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve("said.txt").toFile());
    builder.environment().put("SPARK_HOME", home.toString());
    builder.environment().put("SPARK_LOCAL_IP", "127.0.0.1");
    builder.environment().put("HADOOP_CONF_DIR", directory.resolve("conf").toString());
    builder
        .environment()
        .put("JAVA_TOOL_OPTIONS", "-Djava.security.krb5.conf=" + directory.resolve("krb5.conf"));
    builder
        .environment()
        .put(
            "MIXTRAINING_SUBMIT_OPTIONS",
            "--keytab %s --principal %s".formatted(directory.resolve("me.keytab"), principal));
    Process launcher = builder.start();
    assertThat(launcher.waitFor(3, TimeUnit.MINUTES)).as(said()).isTrue();
    return launcher.exitValue();
  }

  private String said() throws Exception {
    return Files.readString(directory.resolve("said.txt"));
  }

  @Test
  void thePlanLogsInWithTheKeytab() throws Exception {
    assertThat(plan("me@EXAMPLE.COM")).as(said()).isZero();
    assertThat(said()).contains("--master yarn", "--principal me@EXAMPLE.COM");

    assertThat(plan("stranger@EXAMPLE.COM")).isNotZero();
    assertThat(said()).contains("failure to login: for principal: stranger@EXAMPLE.COM");

    stop();
    assertThat(plan("me@EXAMPLE.COM")).as("without the server").isNotZero();
    assertThat(said()).contains("Connection refused");
  }
}
