package org.mixtraining.data;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Collector of the {@link Note}s about a source. */
public final class Notes implements Serializable {
  private static final long serialVersionUID = 1;

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

  /** Adds another's remarks. */
  public void addAll(Notes others) {
    others.notes.forEach(
        (what, note) -> {
          note.names().forEach(name -> add(what, name));
          var sum = notes.get(what);
          notes.put(
              what, new Note(what, sum.count() + note.count() - note.names().size(), sum.names()));
        });
  }

  /** The notes, in the order in which their remarks first occurred. */
  public List<Note> list() {
    return List.copyOf(notes.values());
  }
}
