package org.mixtraining.report;

import static j2html.TagCreator.code;
import static j2html.TagCreator.pre;

import j2html.tags.DomContent;
import java.util.List;
import java.util.Set;
import org.mixtraining.config.hocon.ResolvedSetting;
import org.mixtraining.results.RunRow;

/** Shell commands that reproduce a run. */
final class Commands {

  /** Keys that are always given, even with their default values. */
  private static final Set<String> ALWAYS = Set.of("run.seed", "data.path");

  private Commands() {}

  /** The command that trains it again under another name. */
  static String repeating(RunRow run) {
    StringBuilder text = new StringBuilder("submit/mixtraining train");
    ResolvedSetting.keys(run.setup().config()).stream()
        .filter(key -> !key.key().equals("run.id"))
        .filter(key -> !key.byDefault() || ALWAYS.contains(key.key()))
        .forEach(key -> text.append(option(key.key() + "=" + key.value())));
    return text + option("run.id=" + run.runId() + "-again");
  }

  /** Whether a secret in it was redacted in the tables and must be supplied again. */
  static boolean incomplete(RunRow run) {
    return ResolvedSetting.keys(run.setup().config()).stream().anyMatch(ResolvedSetting::redacted);
  }

  static DomContent shown(List<String> commands) {
    return pre(code(String.join("\n\n", commands))).withTabindex(0);
  }

  private static String option(String setting) {
    return " \\\n  -D " + quoted(setting);
  }

  /** A word quoted for a shell. */
  static String quoted(String word) {
    return word.matches("[A-Za-z0-9_./:=,@%+-]+") ? word : "'" + word.replace("'", "'\\''") + "'";
  }
}
