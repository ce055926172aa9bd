package org.mixtraining.report;

import static j2html.TagCreator.details;
import static j2html.TagCreator.summary;

import j2html.tags.DomContent;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.mixtraining.config.hocon.ResolvedSetting;
import org.mixtraining.report.chart.Grid;
import org.mixtraining.results.RunRow;

/**
 * The section about a run's provenance: versions, data, configuration, and the commands that
 * reproduce it.
 */
final class Provenance {

  private Provenance() {}

  static Section of(RunRow run) {
    return Section.of("provenance", "Provenance", origin(run), repeating(run), configuration(run));
  }

  private static DomContent origin(RunRow run) {
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("Run", run.runId());
    facts.put("Seed", String.valueOf(run.setup().seed()));
    facts.put("Started", run.started().toString());
    facts.put("Ended", known(run.ended()));
    facts.put("MixTraining", run.versions().jobVersion());
    facts.put("Git revision", known(run.versions().gitRevision()));
    facts.put("Spark", run.versions().sparkVersion());
    facts.put("Deeplearning4j", run.versions().dl4jVersion());
    facts.put("Java", run.versions().javaVersion());
    facts.put("Dataset", run.setup().datasetPath());
    facts.put("Dataset's fingerprint", run.setup().datasetFingerprint());
    if (run.setup().sslFingerprint() != null) {
      facts.put("Fingerprint of mixtraining.data.ssl", run.setup().sslFingerprint());
    }
    facts.put("SHA-256 of the final parameters", known(run.stateSha256()));
    return Card.of("Provenance", "", Card.facts(facts));
  }

  private static DomContent repeating(RunRow run) {
    String bits =
        run.stateSha256() == null
            ? ""
            : "The same version on the same kind of CPU gives the same bits: its parameters have the SHA-256 above. ";
    String secrets =
        Commands.incomplete(run)
            ? "(redacted) stands for a secret that the tables do not keep: supply it again."
            : "";
    return Card.of(
        "Reproduce it",
        "It needs the prepared dataset with this fingerprint, which prepare prints, at mixtraining.data.path. "
            + bits
            + secrets,
        Commands.shown(List.of(Commands.repeating(run))));
  }

  private static DomContent configuration(RunRow run) {
    List<ResolvedSetting> keys = ResolvedSetting.keys(run.setup().config());
    List<ResolvedSetting> given = keys.stream().filter(key -> !key.byDefault()).toList();
    return Card.of(
        "Configuration",
        "%s of %s keys differ from their defaults.".formatted(given.size(), keys.size()),
        grid("Keys that differ from their defaults", given),
        details(summary("All keys"), grid("All keys", keys)));
  }

  private static DomContent grid(String caption, List<ResolvedSetting> keys) {
    return Grid.html(
        caption,
        keys,
        Grid.name("key", ResolvedSetting::key),
        Grid.<ResolvedSetting>name("value", key -> key.value().isEmpty() ? "\"\"" : key.value()),
        Grid.name("", key -> key.byDefault() ? "default" : ""));
  }

  private static String known(Object value) {
    return value == null ? "not known" : value.toString();
  }
}
