package org.mixtraining.config;

import java.util.Locale;

/** The kebab-case spelling of enum constants in configurations, tables and on the screen. */
public final class KebabCase {

  private KebabCase() {}

  /** {@code TWO_PASS} as two-pass. */
  public static String of(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
