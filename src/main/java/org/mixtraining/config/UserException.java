package org.mixtraining.config;

import java.util.Collection;
import java.util.List;
import java.util.stream.Stream;

/**
 * Invalid input that the user can correct: a configuration key, a file, an argument. Each problem
 * is one line that says what is wrong, where, and what is allowed; commands print the lines and
 * exit with code 2.
 */
public class UserException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final List<String> problems;

  public UserException(List<String> problems) {
    super(String.join("\n", problems));
    this.problems = problems.stream().map(Causes::line).toList();
  }

  public UserException(String problem) {
    this(List.of(problem));
  }

  /** Throws what is wrong, if anything is, and after it some advice. */
  public static void throwAny(Collection<String> problems, String... advice) {
    if (!problems.isEmpty()) {
      throw new UserException(Stream.concat(problems.stream(), Stream.of(advice)).toList());
    }
  }

  public List<String> problems() {
    return problems;
  }
}
