package org.mixtraining.data;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Collector of the {@link Note}s about a source. */
public final class Notes {
  private static final int SHOWN = 5;

  private final Map<String, Note> notes = new LinkedHashMap<>();

  /** Adds a name to a remark. */
  public void add(String what, String name) {
    var before = notes.getOrDefault(what, new Note(what, 0, List.of()));
    var names = new ArrayList<>(before.names());
    if (names.size() < SHOWN) {
      names.add(name);
    }
    notes.put(what, new Note(what, before.count() + 1, names));
  }

  /** The notes, in the order in which their remarks first occurred. */
  public List<Note> list() {
    return List.copyOf(notes.values());
  }
}
