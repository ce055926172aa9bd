package org.mixtraining.files;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import org.apache.hadoop.fs.FileSystem;

/**
 * A process that holds a lock or writes a staging directory.
 *
 * @param token distinguishes it from every other
 * @param host its machine
 * @param pid its process id there
 * @param started when it began, as the operating system knows it
 * @param system boot id and PID namespace, in which alone the process id can be looked up; empty if
 *     unknown
 */
public record LockOwner(String token, String host, long pid, String started, String system) {
  private static final String UNKNOWN_HOST = "an unknown host";

  /** Regular expression of a {@link #mark}. */
  public static final String MARK = "[0-9a-f]{8}-\\d{1,18}-[0-9a-f]{8}-[0-9a-f]{8}";

  /** The owner of a lock file that was not completely written. */
  public static final LockOwner UNKNOWN = new LockOwner(null, null, 0, null, null);

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Path BOOT = Path.of("/proc/sys/kernel/random/boot_id");
  private static final Path PIDS = Path.of("/proc/self/ns/pid");

  /** Lock files of other versions may lack a component. */
  public LockOwner {
    token = Objects.requireNonNullElse(token, "");
    host = Objects.requireNonNullElse(host, UNKNOWN_HOST);
    started = Objects.requireNonNullElse(started, "");
    system = Objects.requireNonNullElse(system, "");
  }

  /** This process, with a token of its own. */
  public static LockOwner self() {
    ProcessHandle process = ProcessHandle.current();
    return new LockOwner(
        UUID.randomUUID().toString(), hostName(), process.pid(), started(process), thisSystem());
  }

  /** The owner that a file names, {@link #UNKNOWN} if there is none or it was cut off. */
  public static LockOwner read(FileSystem files, org.apache.hadoop.fs.Path file)
      throws IOException {
    try {
      byte[] json = WholeFile.read(files, file);
      return Objects.requireNonNullElse(JSON.readValue(json, LockOwner.class), UNKNOWN);
    } catch (FileNotFoundException | JsonProcessingException e) {
      return UNKNOWN;
    }
  }

  /** The content of a file that names it. */
  public byte[] file() throws IOException {
    return JSON.writeValueAsBytes(this);
  }

  /**
   * Time since the last change of a file, by the clock of its file system.
   *
   * @param probe a file that is made to read that clock
   */
  public static Duration silence(
      FileSystem files, org.apache.hadoop.fs.Path file, org.apache.hadoop.fs.Path probe)
      throws IOException {
    try {
      files.create(probe, false).close();
      long now = files.getFileStatus(probe).getModificationTime();
      return Duration.ofMillis(Math.max(0, now - files.getFileStatus(file).getModificationTime()));
    } finally {
      files.delete(probe, false);
    }
  }

  /** Whether it is alive, if that can be known on this machine. */
  public Optional<Boolean> isAlive() {
    if (system.isEmpty() || !system.equals(thisSystem())) {
      return Optional.empty();
    }
    return Optional.of(
        ProcessHandle.of(pid).filter(process -> started(process).equals(started)).isPresent());
  }

  /** A suffix for names of its files, by which others can tell whether it is alive. */
  public String mark() {
    return String.join("-", digits(system), Long.toString(pid), digits(started), digits(token));
  }

  /** Whether the owner of a mark is alive, if that can be known on this machine. */
  public static Optional<Boolean> isAlive(String mark) {
    String[] parts = mark.split("-", -1);
    String here = thisSystem();
    if (here.isEmpty() || !parts[0].equals(digits(here))) {
      return Optional.empty();
    }
    return Optional.of(
        ProcessHandle.of(Long.parseLong(parts[1]))
            .filter(process -> digits(started(process)).equals(parts[2]))
            .isPresent());
  }

  private static String digits(String text) {
    return String.format(Locale.ROOT, "%08x", text.hashCode());
  }

  private static String started(ProcessHandle process) {
    return process.info().startInstant().map(Instant::toString).orElse("");
  }

  private static String hostName() {
    try {
      return InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      return "unknown host";
    }
  }

  private static String thisSystem() {
    try {
      return Files.readString(BOOT).strip() + " " + Files.readSymbolicLink(PIDS);
    } catch (IOException | UnsupportedOperationException e) {
      return "";
    }
  }

  @Override
  public String toString() {
    return "process %s on %s".formatted(pid, host);
  }
}
