package org.mixtraining.report;

import static j2html.TagCreator.code;
import static j2html.TagCreator.pre;

import j2html.tags.DomContent;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.mixtraining.config.Effective;
import org.mixtraining.results.RunRow;

/** What to type to make a run again. */
final class Commands {

  private Commands() {}

  /** Preparing the dataset of a run, and training it under another name. */
  static List<String> repeating(RunRow run) {
    List<Effective> keys = Effective.keys(run.setup().config());
    List<String> commands = new ArrayList<>();
    boolean several =
        keys.stream().anyMatch(key -> key.key().equals("data.tasks") && !key.byDefault());
    if (!several) {
      commands.add(
          command("prepare", keys, key -> key.key().startsWith("data.") && !key.byDefault()));
    }
    commands.add(
        command(
                "train",
                keys,
                key ->
                    !key.key().equals("run.id")
                        && (!key.byDefault()
                            || key.key().equals("run.seed")
                            || key.key().equals("data.path")))
            + " \\\n  -D "
            + quoted("run.id=" + run.runId() + "-again"));
    return commands;
  }

  /** Whether something in them was left out of the tables, and has to be put in again. */
  static boolean incomplete(RunRow run) {
    return Effective.keys(run.setup().config()).stream().anyMatch(Effective::redacted);
  }

  static DomContent shown(List<String> commands) {
    return pre(code(String.join("\n\n", commands))).withTabindex(0);
  }

  private static String command(String command, List<Effective> keys, Predicate<Effective> given) {
    StringBuilder text = new StringBuilder("submit/mixtraining " + command);
    keys.stream()
        .filter(given)
        .forEach(key -> text.append(" \\\n  -D ").append(quoted(key.key() + "=" + key.value())));
    return text.toString();
  }

  /** As one word for a shell. */
  static String quoted(String word) {
    return word.matches("[A-Za-z0-9_./:=,@%+-]+") ? word : "'" + word.replace("'", "'\\''") + "'";
  }
}
