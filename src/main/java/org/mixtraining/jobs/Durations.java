package org.mixtraining.jobs;

import java.util.Locale;

/** Formatting of durations. */
public final class Durations {

  private Durations() {}

  /** Such as {@code 45 s}, {@code 12:30 min} or {@code 3:05 h}. */
  public static String text(double seconds) {
    long s = Math.round(seconds);
    return s < 60
        ? s + " s"
        : s < 3600
            ? String.format(Locale.ROOT, "%d:%02d min", s / 60, s % 60)
            : String.format(Locale.ROOT, "%d:%02d h", s / 3600, s / 60 % 60);
  }
}
