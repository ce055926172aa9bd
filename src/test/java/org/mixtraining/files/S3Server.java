package org.mixtraining.files;

import static org.junit.jupiter.api.Assumptions.abort;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;

/**
 * A real S3 server over HTTP, slow and with failures: s3rver from npm, of which {@code
 * src/test/resources/s3/server.js} says more. Aborts the test where it cannot be had.
 */
public final class S3Server implements AutoCloseable {
  private static final String S3RVER = "s3rver@3.7.1";
  private static final Path HOME = Path.of("target/s3rver").toAbsolutePath();

  private final Process process;
  private final String address;

  /**
   * @param directory of its objects
   * @param latency of each call
   * @param failing every so manieth call fails
   */
  public S3Server(Path directory, Duration latency, int failing) throws Exception {
    checkHadoopHasS3();
    install();
    process =
        new ProcessBuilder(
                "node",
                Path.of("src/test/resources/s3/server.js").toString(),
                HOME.resolve("node_modules").toString(),
                directory.toString(),
                Long.toString(latency.toMillis()),
                Integer.toString(failing))
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    BufferedReader out = process.inputReader(StandardCharsets.UTF_8);
    address = out.readLine();
    if (address == null) {
      throw new IOException("the S3 server did not start");
    }
  }

  private static void checkHadoopHasS3() {
    try {
      Class.forName("org.apache.hadoop.fs.s3a.S3AFileSystem");
    } catch (ClassNotFoundException e) {
      abort("needs hadoop-aws: run with the profile -Pobject-store");
    }
  }

  private static void install() throws Exception {
    if (Files.isDirectory(HOME.resolve("node_modules/s3rver"))) {
      return;
    }
    Files.createDirectories(HOME);
    try {
      Process npm =
          new ProcessBuilder(
                  "npm", "install", "--no-audit", "--no-fund", "--prefix", HOME.toString(), S3RVER)
              .redirectErrorStream(true)
              .redirectOutput(HOME.resolve("npm.log").toFile())
              .start();
      if (!npm.waitFor(5, TimeUnit.MINUTES) || npm.exitValue() != 0) {
        npm.destroy();
        abort("npm could not install %s: see %s".formatted(S3RVER, HOME.resolve("npm.log")));
      }
    } catch (IOException e) {
      abort("needs node and npm: " + e.getMessage());
    }
  }

  /** Hadoop's, for {@code s3a://bucket/}. */
  public Configuration configuration() {
    Configuration conf = new Configuration();
    conf.set("fs.s3a.endpoint", address);
    conf.set("fs.s3a.path.style.access", "true");
    conf.set("fs.s3a.connection.ssl.enabled", "false");
    conf.set("fs.s3a.access.key", "S3RVER");
    conf.set("fs.s3a.secret.key", "S3RVER");
    // s3rver does not know the chunks in which bodies are signed by default, where there is no TLS
    conf.set("fs.s3a.signing-algorithm", "S3SignerType");
    conf.set("fs.s3a.connection.maximum", "200");
    conf.set("fs.s3a.threads.max", "64");
    return conf;
  }

  /** Also the client that Hadoop keeps for the next who asks for the bucket. */
  @Override
  public void close() throws Exception {
    FileSystem.get(URI.create("s3a://bucket/"), configuration()).close();
    process.getOutputStream().close();
    if (!process.waitFor(10, TimeUnit.SECONDS)) {
      process.destroyForcibly();
    }
  }
}
