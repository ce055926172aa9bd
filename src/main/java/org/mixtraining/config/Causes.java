package org.mixtraining.config;

import java.io.UncheckedIOException;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Causes of a failure; Spark wraps a task's exception more than once. */
public final class Causes {
  /** What Spark says of a stage whose task failed, before what that task said. */
  private static final Pattern LOST =
      Pattern.compile(
          ".*[mM]ost recent failure: (?:Lost task \\S+ in stage \\S+ \\(TID \\d+\\) \\([^)]*\\): )?(.*)");

  /** How the JVM and Spark end an executor that ran out of heap. */
  private static final Pattern OUT_OF_HEAP = Pattern.compile("exited with code (3|52)\\b");

  /** JavaCPP does not say that it could not write a library. */
  private static final String UNPACKED =
      "; native libraries are unpacked into ~/.javacpp/cache: it must be writable and have room, or name another directory by -Dorg.bytedeco.javacpp.cachedir";

  private Causes() {}

  /** The failure itself, its cause, that one's cause, and so on. */
  public static Stream<Throwable> of(Throwable failure) {
    Set<Throwable> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    return Stream.iterate(failure, cause -> cause != null && seen.add(cause), Throwable::getCause);
  }

  /**
   * Why something failed, in one line: the innermost cause, after what could not be done on its
   * account where a wrapper says so.
   */
  public static String reason(Throwable failure) {
    String why =
        described(
            of(failure)
                .filter(UserException.class::isInstance)
                .findFirst()
                .or(() -> of(failure).reduce((outer, cause) -> cause))
                .orElseThrow());
    String what =
        of(failure)
            .filter(cause -> cause instanceof UncheckedIOException)
            .filter(cause -> cause.getMessage() != null)
            .filter(cause -> !cause.getMessage().equals(String.valueOf(cause.getCause())))
            .map(cause -> line(cause.getMessage()) + ": ")
            .findFirst()
            .orElse("");
    return Secrets.inText(what + why);
  }

  private static String described(Throwable cause) {
    if (cause instanceof UserException told) {
      return String.join("; ", told.problems());
    }
    String message = cause.getMessage() == null ? "" : line(cause.getMessage());
    String name = cause.getClass().getName();
    String simple = name.substring(name.lastIndexOf('.') + 1);
    if (message.isEmpty()) {
      return simple;
    }
    if (cause instanceof UnsatisfiedLinkError && message.contains("jni")) { // of JavaCPP
      message += UNPACKED;
    }
    Matcher lost = LOST.matcher(message);
    if (!lost.matches()) {
      return simple + ": " + message;
    }
    return lost.group(1)
        + (OUT_OF_HEAP.matcher(message).find()
            ? ": it ran out of heap (spark.executor.memory)"
            : "");
  }

  /** A text without line ends, as far as it is not a trace. */
  static String line(String text) {
    return text.lines()
        .map(String::strip)
        .takeWhile(line -> !line.matches("at \\S+\\(.*|Driver stacktrace:|Caused by: .*"))
        .filter(line -> !line.isEmpty())
        .collect(Collectors.joining(" "));
  }
}
