package org.mixtraining.report;

import static java.util.stream.Collectors.toMap;

import j2html.tags.DomContent;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import org.mixtraining.config.hocon.ResolvedSetting;
import org.mixtraining.report.ComparisonFacts.ArmRun;
import org.mixtraining.report.chart.Grid;
import org.mixtraining.report.chart.Numbers;
import org.mixtraining.results.RunRow;

/**
 * The section of the keys in which the arms of a comparison differ, including defaults that follow
 * from other keys.
 */
final class ArmsApart {

  private ArmsApart() {}

  /** The values of a key by arm. */
  private record Difference(String key, Map<String, Set<String>> values) {
    String of(String arm) {
      return values.containsKey(arm) ? String.join(" · ", values.get(arm)) : Numbers.NONE;
    }
  }

  static DomContent of(ComparisonFacts facts) {
    List<Grid.Column<Difference>> columns = new ArrayList<>();
    columns.add(Grid.name("key", Difference::key));
    for (String arm : facts.armNames()) {
      columns.add(Grid.name(arm, d -> d.of(arm)));
    }
    return Card.of(
        "How the arms differ",
        "Every key whose value differs between arms, including defaults that follow from other keys, such as mixtraining.mix.mask-ratio from mixtraining.mix.pass. mix.* applies only to epochs with both losses.",
        new Grid<>("Keys in which arms differ", columns, differences(facts)).html());
  }

  private static List<Difference> differences(ComparisonFacts facts) {
    Map<String, String> arms =
        facts.runs().stream().collect(toMap(ArmRun::runId, ArmRun::arm, (first, again) -> first));
    SortedMap<String, SortedMap<String, Set<String>>> keys = new TreeMap<>();
    for (RunRow run : facts.recorded()) {
      String arm = arms.getOrDefault(run.runId(), "");
      for (ResolvedSetting key : ResolvedSetting.keys(run.setup().config())) {
        keys.computeIfAbsent(key.key(), k -> new TreeMap<>())
            .computeIfAbsent(arm, a -> new TreeSet<>())
            .add(key.value());
      }
    }
    return keys.entrySet().stream()
        .filter(key -> isAnArms(key.getKey()))
        .filter(key -> key.getValue().values().stream().distinct().count() > 1)
        .map(key -> new Difference(key.getKey(), key.getValue()))
        .toList();
  }

  /** Whether a key belongs to arms rather than to settings or runs. */
  private static boolean isAnArms(String key) {
    return !key.startsWith("run.")
        && (!key.startsWith("data.") || key.equals("data.ssl") || key.equals("data.reshuffle"));
  }
}
