package org.mixtraining.cli;

import java.io.PrintStream;

/**
 * Standard error with progress lines: permanent ones, and on a terminal a last one that is redrawn.
 */
final class Screen {
  private static final String CLEAR = "\r\u001b[K";

  private final int columns;
  private boolean drawn;

  /**
   * @param columns width of the terminal; 0 where there is none, and then nothing is drawn
   */
  Screen(int columns) {
    this.columns = columns;
  }

  /** That of this process: submit/mixtraining says how wide it is, if it is one. */
  static Screen ofProcess() {
    String columns = System.getenv().getOrDefault("MIXTRAINING_COLUMNS", "");
    return new Screen(columns.matches("\\d{1,4}") ? Integer.parseInt(columns) : 0);
  }

  /** Prints a line that stays. */
  synchronized void print(String line) {
    System.err.println((drawn ? CLEAR : "") + line);
    drawn = false;
  }

  /** Draws a line in place of the one that was drawn before. */
  synchronized void draw(String line) {
    if (columns == 0) {
      return;
    }
    PrintStream err = System.err;
    err.print(CLEAR + (line.length() < columns ? line : line.substring(0, columns - 1)));
    err.flush();
    drawn = true;
  }
}
