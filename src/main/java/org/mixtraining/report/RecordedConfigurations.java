package org.mixtraining.report;

import static j2html.TagCreator.details;
import static j2html.TagCreator.summary;

import j2html.tags.DomContent;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.mixtraining.config.hocon.ResolvedSetting;
import org.mixtraining.report.chart.Grid;
import org.mixtraining.results.RunRow;

/**
 * The configurations of many runs: their keys with all values, and the commands that reproduce
 * each.
 */
final class RecordedConfigurations {

  private RecordedConfigurations() {}

  /** A key and its values over all runs. */
  private record Values(String key, Set<String> values, boolean byDefault) {}

  static DomContent of(List<RunRow> runs) {
    Map<String, Values> keys = new LinkedHashMap<>();
    for (RunRow run : runs) {
      for (ResolvedSetting key : ResolvedSetting.keys(run.setup().config())) {
        Values before = keys.get(key.key());
        Set<String> values = new LinkedHashSet<>(before == null ? Set.of() : before.values);
        values.add(key.value());
        keys.put(
            key.key(),
            new Values(key.key(), values, key.byDefault() && (before == null || before.byDefault)));
      }
    }
    List<Values> given =
        keys.values().stream().filter(key -> !key.byDefault && !key.key.equals("run.id")).toList();
    List<String> commands =
        runs.stream().map(run -> "# " + run.runId() + "\n" + Commands.repeating(run)).toList();
    String secrets =
        runs.stream().anyMatch(Commands::incomplete)
            ? " (redacted) stands for a secret that the tables do not keep: supply it again."
            : "";
    return Card.of(
        "Configuration",
        "Keys that differ from their defaults in some run, with every value that they have."
            + secrets,
        Grid.html(
            "Keys that differ from their defaults",
            given,
            Grid.<Values>name("key", Values::key),
            Grid.name("values", key -> String.join(" · ", key.values))),
        details(summary("Commands that reproduce each run"), Commands.shown(commands)));
  }
}
