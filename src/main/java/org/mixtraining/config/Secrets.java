package org.mixtraining.config;

import java.util.Arrays;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Redaction of secrets: in tables, logs and messages they are replaced by "(redacted)". */
public final class Secrets {
  public static final String REDACTED = "(redacted)";
  private static final Pattern SECRET =
      Pattern.compile("passw(or)?d|secret|token|credential|(api|access|private)[-_.]?key");

  /** The user and password of an address. */
  private static final Pattern USER_INFO = Pattern.compile("(?<=://)[^/@\\s]+(?=@)");

  private Secrets() {}

  /** Whether a value is a secret, by the name of its key. */
  public static boolean isSecret(String key) {
    return SECRET.matcher(key.toLowerCase(Locale.ROOT)).find();
  }

  /** The value of a key as it may be shown. */
  public static String shown(String key, String value) {
    return isSecret(key) ? REDACTED : inText(value);
  }

  /**
   * A command line as it may be shown.
   *
   * @param words those that may have blanks in them
   */
  public static String inCommand(String command, String... words) {
    String shown = command;
    for (String word : words) {
      shown = shown.replace(word, inWord(word));
    }
    return Arrays.stream(shown.split(" ", -1))
        .map(Secrets::inWord)
        .collect(Collectors.joining(" "));
  }

  /** A word whose name or value speaks of a secret keeps its name. */
  private static String inWord(String word) {
    int equals = word.indexOf('=');
    return equals > 0 && isSecret(word) ? word.substring(0, equals + 1) + REDACTED : inText(word);
  }

  /** A text without the passwords of the addresses in it. */
  public static String inText(String text) {
    return USER_INFO.matcher(text).replaceAll(REDACTED);
  }
}
