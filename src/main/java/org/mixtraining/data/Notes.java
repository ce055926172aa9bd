package org.mixtraining.data;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Collects what is to be told about a source. */
public final class Notes {
  private static final int SHOWN = 5;

  private final Map<String, Note> notes = new LinkedHashMap<>();

  /** Tells something of one more name. */
  public void add(String what, String name) {
    var before = notes.getOrDefault(what, new Note(what, 0, List.of()));
    var names = new ArrayList<>(before.names());
    if (names.size() < SHOWN) {
      names.add(name);
    }
    notes.put(what, new Note(what, before.count() + 1, names));
  }

  /** In the order in which they first came up. */
  public List<Note> list() {
    return List.copyOf(notes.values());
  }
}
