package org.mixtraining.data;

import java.io.Serializable;
import java.util.List;
import java.util.Locale;

/**
 * Something that a person should know about a source: what was passed over, or is missing.
 *
 * @param what is told of the names
 * @param count how many there are
 * @param names the first of them, files and directories (which end with /) below the source
 */
public record Note(String what, long count, List<String> names) implements Serializable {

  /** A line for a person. */
  public String line() {
    return String.format(
            Locale.ROOT,
            "%s: %d (%s%s)",
            what,
            count,
            String.join(", ", names),
            count > names.size() ? ", …" : "")
        .replaceAll("\\p{Cntrl}", "?");
  }
}
