package org.mixtraining.data;

import java.io.Serializable;
import java.util.List;

/**
 * A remark about a source: files that were skipped, or are missing.
 *
 * @param what the remark
 * @param count how many there are
 * @param names the first of them, files and directories (which end with /) below the source
 */
public record Note(String what, long count, List<String> names) implements Serializable {

  /** The note as one line. */
  public String line() {
    return "%s: %s (%s%s)"
        .formatted(what, count, String.join(", ", names), count > names.size() ? ", …" : "")
        .replaceAll("\\p{Cntrl}", "?");
  }
}
