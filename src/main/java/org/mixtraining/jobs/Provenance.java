package org.mixtraining.jobs;

import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.mixtraining.checkpoint.ModelFile;
import org.mixtraining.config.DataConfig;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.KebabCase;
import org.mixtraining.config.Secrets;
import org.mixtraining.data.DatasetManifest;
import org.mixtraining.data.Split;
import org.mixtraining.results.RunRow;
import org.mixtraining.run.TrainingData;
import org.mixtraining.schedule.MixSchedule;
import org.mixtraining.vit.state.ModelState;

/**
 * The provenance of a run: its setup, datasets and versions.
 *
 * @param setup what is asked for, as its row says it
 * @param datasets that of each task
 * @param facts what decides about its bits besides its configuration, for checkpoints; what begins
 *     with {@code dataset.} must not change on the way
 */
record Provenance(
    RunRow.Setup setup, Map<String, DatasetManifest> datasets, SortedMap<String, String> facts) {

  /** SHA-256 of the file that the run began from. */
  private static final String INIT = "init.sha256";

  static Provenance of(JobConfig config, TrainingData data, ModelState model) {
    RunRow.Setup setup =
        new RunRow.Setup(
            config.pipeline(),
            config.model().preset(),
            model.parameters(),
            config.run().seed(),
            config.workers().count(),
            MixSchedule.of(config).epochs().size(),
            paths(config),
            data.manifests().values().stream()
                .map(DatasetManifest::fingerprint)
                .collect(Collectors.joining(",")),
            data.sslManifest().map(DatasetManifest::fingerprint).orElse(null),
            config.canonical());
    return new Provenance(setup, data.manifests(), facts(config, data));
  }

  /** As {@code run mix-1: mix, vit-tiny with 5526346 parameters, 100 epochs on ...}. */
  String describe(String id) {
    return "run %s: %s, %s with %s parameters, %s epochs on %s images of %s, %s workers"
        .formatted(
            id,
            KebabCase.of(setup.pipeline()),
            setup.model(),
            setup.parameters(),
            setup.epochsPlanned(),
            datasets.values().stream().mapToLong(m -> m.images(Split.TRAIN)).sum(),
            setup.datasetPath(),
            setup.workers());
  }

  /** The same of a run that begins from a model. */
  Provenance begunFrom(String sha256) {
    SortedMap<String, String> more = new TreeMap<>(facts);
    more.put(INIT, sha256);
    return new Provenance(setup, datasets, more);
  }

  /** The same of a run that goes on, and began from the model that its checkpoint names. */
  Provenance begunAs(SortedMap<String, String> checkpoint) {
    return begunFrom(checkpoint.getOrDefault(INIT, "unknown"));
  }

  /** The paths of the labelled datasets, for a person. */
  static String paths(JobConfig config) {
    return config.data().labelled().stream()
        .map(DataConfig.Task::path)
        .map(Secrets::inText)
        .collect(Collectors.joining(","));
  }

  private static SortedMap<String, String> facts(JobConfig config, TrainingData data) {
    Map<String, DatasetManifest> datasets = new TreeMap<>(data.manifests());
    data.sslManifest().ifPresent(ssl -> datasets.put("(ssl)", ssl));
    SortedMap<String, String> facts = new TreeMap<>();
    datasets.forEach(
        (name, dataset) ->
            dataset
                .identity()
                .forEach((key, value) -> facts.put("dataset." + name + "." + key, value)));
    double labelled = config.data().labelledFraction();
    data.manifests()
        .forEach(
            (name, dataset) -> {
              long used = dataset.heldOutImages(Split.VALIDATION, labelled);
              if (used < dataset.images(Split.VALIDATION)) { // versions before this used all
                facts.put("dataset." + name + ".validation-images", String.valueOf(used));
              }
            });
    RunRow.Versions versions = Versions.provenance();
    facts.put("version.job", versions.jobVersion());
    facts.put("version.dl4j", versions.dl4jVersion());
    facts.put("version.java", versions.javaVersion());
    facts.put(ModelFile.CARD, data.card().json());
    return facts;
  }
}
