package org.mixtraining.config;

import java.util.List;

/**
 * Invalid input that the user can correct: a configuration key, a file, an argument. Each problem
 * is one line that says what is wrong, where, and what is allowed; commands print the lines and
 * exit with code 2.
 */
public final class UserException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final List<String> problems;

  public UserException(List<String> problems) {
    super(String.join("\n", problems));
    this.problems = problems.stream().map(Causes::line).toList();
  }

  public UserException(String problem) {
    this(List.of(problem));
  }

  public List<String> problems() {
    return problems;
  }
}
