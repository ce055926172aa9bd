package org.mixtraining.results;

import java.util.Locale;

/**
 * A row of one epoch of a run. The rows of {@value #EPOCHS_A_FILE} epochs share a file, which is
 * rewritten with each of them: so a long run leaves few files, and rows are never duplicated or
 * missing while small files are merged.
 */
interface EpochScoped {
  int EPOCHS_A_FILE = 64;

  /** Position in the run, from 1. */
  int epoch();

  /** The file of an epoch: named after the first epoch that it may hold. */
  static String part(String table, int epoch) {
    int first = (epoch - 1) / EPOCHS_A_FILE * EPOCHS_A_FILE + 1;
    return String.format(Locale.ROOT, "%s-%05d", table, first);
  }
}
