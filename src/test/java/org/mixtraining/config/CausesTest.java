package org.mixtraining.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationTargetException;
import java.util.concurrent.ExecutionException;
import java.util.stream.Stream;
import org.apache.spark.SparkException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class CausesTest {
  private static final String TRACE =
      "\n\tat org.example.Deep.down(Deep.java:7)\n\tat java.base/java.lang.Thread.run(Thread.java:840)\n\nDriver stacktrace:";
  private static final String ABORTED =
      "Job aborted due to stage failure: Task 0 in stage 1.0 failed 4 times, most recent failure: Lost task 0.3 in stage 1.0 (TID 6) (10.0.0.7 executor 1): ";

  static Stream<Arguments> failures() {
    IOException full = new IOException("No space left on device");
    return Stream.of(
        Arguments.of(full, "IOException: No space left on device"),
        Arguments.of(
            new UncheckedIOException("cannot write run", full),
            "cannot write run: IOException: No space left on device"),
        Arguments.of(new UncheckedIOException(full), "IOException: No space left on device"),
        Arguments.of(
            new IllegalStateException(
                new ExecutionException(new InvocationTargetException(new StackOverflowError()))),
            "StackOverflowError"),
        Arguments.of(
            new NoClassDefFoundError("org/example/Missing"),
            "NoClassDefFoundError: org/example/Missing"),
        Arguments.of(
            new ExceptionInInitializerError(new IllegalStateException("no CPU")),
            "IllegalStateException: no CPU"),
        Arguments.of(
            new NoClassDefFoundError("kernels").initCause(new UnsatisfiedLinkError("no jnidnnl")),
            "UnsatisfiedLinkError: no jnidnnl; native libraries are unpacked into ~/.javacpp/cache: it must be writable and have room, or name another directory by -Dorg.bytedeco.javacpp.cachedir"),
        Arguments.of(new AssertionError(), "AssertionError"),
        Arguments.of(new IllegalStateException(), "IllegalStateException"),
        Arguments.of(new IllegalStateException(" \n\n "), "IllegalStateException"),
        Arguments.of(
            new IllegalStateException("first\n  second\r\nthird"),
            "IllegalStateException: first second third"),
        Arguments.of(
            new SparkException(
                "Job aborted due to stage failure: \nAborting TaskSet 0.0 because task 0 (partition 0)\ncannot run anywhere due to node and executor excludeOnFailure.\nMost recent failure:\nLost task 0.4 in stage 0.0 (TID 4) (127.0.0.1 executor 0): java.lang.StackOverflowError"
                    + TRACE),
            "java.lang.StackOverflowError"),
        Arguments.of(
            new SparkException(ABORTED + "java.lang.StackOverflowError" + TRACE),
            "java.lang.StackOverflowError"),
        Arguments.of(
            new SparkException(
                ABORTED + "java.lang.IllegalStateException: of a class the driver lacks" + TRACE),
            "java.lang.IllegalStateException: of a class the driver lacks"),
        Arguments.of(
            new SparkException(
                ABORTED
                    + "ExecutorLostFailure (executor 1 exited caused by one of the running tasks) Reason: Command exited with code 52"
                    + TRACE),
            "ExecutorLostFailure (executor 1 exited caused by one of the running tasks) Reason: Command exited with code 52: it ran out of heap (spark.executor.memory)"),
        Arguments.of(
            new SparkException(
                "Job aborted.", new UserException("mixtraining.data.path: shard 1 is missing")),
            "mixtraining.data.path: shard 1 is missing"),
        Arguments.of(
            new IllegalStateException("cannot reach hdfs://me:secret@host/x"),
            "IllegalStateException: cannot reach hdfs://(redacted)@host/x"));
  }

  @ParameterizedTest
  @MethodSource("failures")
  void theReasonOfAFailureIsOneLine(Throwable failure, String reason) {
    assertThat(Causes.reason(failure)).isEqualTo(reason);
  }

  @Test
  void causesThatLeadInACircleEnd() {
    Exception first = new Exception("first");
    Exception second = new Exception("second", first);
    first.initCause(second);

    assertThat(Causes.of(second)).containsExactly(second, first);
    assertThat(Causes.reason(second)).isEqualTo("Exception: first");
  }
}
