package org.mixtraining.config;

import java.util.regex.Pattern;

/** Valid names of runs, tasks, arms and datasets, which are also names of directories. */
final class Names {
  static final String RANGE = "1 to 80 letters, digits and . _ - with a letter or digit first";
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,79}");

  private Names() {}

  static boolean isName(String text) {
    return NAME.matcher(text).matches();
  }
}
