package org.mixtraining.files;

import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;

/**
 * A process that has a lock, or a directory that it fills.
 *
 * @param token distinguishes it from every other
 * @param host its machine
 * @param pid its number there
 * @param started when it began, as the operating system knows it
 * @param system the running kernel and its process numbers, which alone can tell whether it lives;
 *     empty where unknown
 */
public record LockOwner(String token, String host, long pid, String started, String system) {
  /** Of a lock that says nothing, since its writing was cut off. */
  public static final LockOwner UNKNOWN = new LockOwner("", "an unknown host", 0, "", "");

  private static final Path BOOT = Path.of("/proc/sys/kernel/random/boot_id");
  private static final Path PIDS = Path.of("/proc/self/ns/pid");

  /** This process, with a token of its own. */
  public static LockOwner self() {
    ProcessHandle process = ProcessHandle.current();
    return new LockOwner(
        UUID.randomUUID().toString(), hostName(), process.pid(), started(process), thisSystem());
  }

  /** Whether it lives, where that can be known from here. */
  public Optional<Boolean> isAlive() {
    if (system.isEmpty() || !system.equals(thisSystem())) {
      return Optional.empty();
    }
    return Optional.of(
        ProcessHandle.of(pid).filter(process -> started(process).equals(started)).isPresent());
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
    return String.format(Locale.ROOT, "process %d on %s", pid, host);
  }
}
