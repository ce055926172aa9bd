package org.mixtraining.config;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigObject;
import com.typesafe.config.ConfigValue;
import com.typesafe.config.ConfigValueType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Predicate;
import org.mixtraining.config.Comparison.Run;
import org.mixtraining.config.Comparison.Setting;
import org.mixtraining.config.hocon.ResolvedSetting;
import org.mixtraining.config.hocon.Settings;

/**
 * Reader of a {@link Comparison} from settings: the configuration of each run is read separately.
 */
final class ComparisonReader {
  /** Keys that tell the runs apart, or that they share. */
  private static final List<String> NOT_IN_A_BLOCK =
      List.of(
          "run", "compare", "data.fraction", "data.label-fraction", "workers.threads-per-worker");

  /** What an arm may say of data; the rest is its setting's. */
  private static final Set<String> OF_DATA_IN_AN_ARM = Set.of("ssl", "reshuffle");

  private final Settings settings;
  private final Set<String> problems = new LinkedHashSet<>();

  ComparisonReader(Settings settings) {
    this.settings = settings;
  }

  Comparison read() {
    settings.byDefault("compare.fractions", alone("data.fraction"));
    settings.byDefault("compare.label-fractions", alone("data.label-fraction"));
    settings.byDefault("compare.seeds", alone("run.seed"));
    String name = settings.text("compare.name", Names::isName, Names.RANGE);
    SortedMap<String, ConfigObject> arms = blocks("compare.arms");
    arms.forEach(this::checkData);
    SortedMap<String, ConfigObject> datasets = blocks("compare.datasets");
    String baseline =
        settings.text(
            "compare.baseline",
            arm -> arms.isEmpty() || arms.containsKey(arm),
            "an arm: " + String.join(", ", arms.keySet()));
    int parallel = settings.whole("compare.parallel", 1);
    List<Long> seeds =
        list("compare.seeds", c -> c.getLongList("list"), n -> true, "whole numbers");
    List<Setting> places = settings(datasets.keySet());
    List<Run> runs = new ArrayList<>();
    for (long seed : seeds) {
      for (Setting place : places) {
        for (Map.Entry<String, ConfigObject> arm : arms.entrySet()) {
          String id = id(name, place, arm.getKey(), seed);
          run(id, place, seed, List.of(datasets.get(place.dataset()), arm.getValue()))
              .ifPresent(config -> runs.add(new Run(place, arm.getKey(), config)));
        }
      }
    }
    checkIds(runs);
    checkPaths(runs);
    problems.addAll(settings.problems());
    UserException.throwAny(problems);
    return new Comparison(name, baseline, parallel, runs, notes(arms, datasets, runs));
  }

  /** Defaults follow other keys: an arm that names one of these differs in both. */
  private List<String> notes(
      SortedMap<String, ConfigObject> arms,
      SortedMap<String, ConfigObject> datasets,
      List<Run> runs) {
    List<String> notes = new ArrayList<>();
    for (Map.Entry<String, ConfigObject> arm : arms.entrySet()) {
      Run run = runs.stream().filter(r -> r.arm().equals(arm.getKey())).findFirst().orElseThrow();
      Map<String, String> without = new HashMap<>();
      try {
        JobConfig config =
            config(
                run.id(),
                run.setting(),
                run.config().run().seed(),
                List.of(datasets.get(run.setting().dataset())));
        ResolvedSetting.keys(config.canonical())
            .forEach(key -> without.put(key.key(), key.value()));
      } catch (UserException e) {
        continue; // only with some arm is this a configuration at all
      }
      List<String> also =
          ResolvedSetting.keys(run.config().canonical()).stream()
              .filter(key -> !names(arm.getValue(), key.key()))
              .filter(key -> NOT_IN_A_BLOCK.stream().noneMatch(key.key()::startsWith))
              .filter(key -> !key.value().equals(without.get(key.key())))
              .map(
                  key ->
                      "%s = %s (not %s)"
                          .formatted(Settings.full(key.key()), key.value(), without.get(key.key())))
              .toList();
      if (!also.isEmpty()) {
        notes.add(
            "arm %s also differs in keys that it does not set, because their defaults depend on those it sets: %s"
                .formatted(arm.getKey(), String.join(", ", also)));
      }
    }
    return notes;
  }

  /** Whether an arm says a key, or the preset that is a name for it and others. */
  private static boolean names(ConfigObject arm, String key) {
    Config said = arm.toConfig();
    return said.hasPath(key)
        || (ModelConfig.OF_PRESET.contains(key) && said.hasPath("model.preset"));
  }

  /** What a key says, as a list of one; a value that is not allowed is found with the first run. */
  private List<String> alone(String key) {
    return List.of(settings.text(key, text -> true, "anything"));
  }

  private List<Setting> settings(Set<String> datasets) {
    List<Double> fractions = shares("compare.fractions");
    List<Double> labelFractions = shares("compare.label-fractions");
    List<Setting> places = new ArrayList<>();
    for (String dataset : datasets) {
      for (double fraction : fractions) {
        for (double labelFraction : labelFractions) {
          places.add(new Setting(dataset, fraction, labelFraction));
        }
      }
    }
    return places;
  }

  private Optional<JobConfig> run(String id, Setting place, long seed, List<ConfigObject> blocks) {
    try {
      return Optional.of(config(id, place, seed, blocks));
    } catch (UserException e) {
      problems.addAll(e.problems());
      return Optional.empty();
    }
  }

  private JobConfig config(String id, Setting place, long seed, List<ConfigObject> blocks) {
    Map<String, Object> own =
        Map.of(
            "run.id",
            id,
            "run.seed",
            seed,
            "data.fraction",
            place.fraction(),
            "data.label-fraction",
            place.labelFraction());
    List<ConfigObject> all = new ArrayList<>(blocks);
    all.add(ConfigFactory.parseMap(own, "compare").root());
    return JobConfig.read(settings.under(all));
  }

  /** Such as {@code laptop-cifar10-f0.5-mix-s0}. */
  private static String id(String name, Setting place, String arm, long seed) {
    List<String> parts = new ArrayList<>(List.of(name, place.dataset()));
    parts.add("f" + Decimals.plain(place.fraction()));
    if (place.labelFraction() < 1) {
      parts.add("l" + Decimals.plain(place.labelFraction()));
    }
    parts.add(arm);
    parts.add("s" + seed);
    return String.join("-", parts);
  }

  /** Arms that are held against each other train and are tested on the same images. */
  private void checkData(String arm, ConfigObject block) {
    if (block.get("data") instanceof ConfigObject data) {
      data.forEach(
          (key, value) -> {
            if (!OF_DATA_IN_AN_ARM.contains(key) && !NOT_IN_A_BLOCK.contains("data." + key)) {
              settings.refuse(
                  "compare.arms." + arm + ".data." + key,
                  value,
                  "cannot be set here: all arms of a setting train on the same data; set it in mixtraining.compare.datasets");
            }
          });
    }
  }

  /** A directory holds one dataset. */
  private void checkPaths(List<Run> runs) {
    Map<String, Run> first = new HashMap<>();
    for (Run run : runs) {
      DataConfig data = run.config().data();
      Run other = first.putIfAbsent(data.path(), run);
      if (data.tasks().isEmpty()
          && other != null
          && !data.ingredients().equals(other.config().data().ingredients())) {
        problems.add(
            "mixtraining.compare.datasets: %s and %s are made of different data and cannot share mixtraining.data.path = %s; give each its own path"
                .formatted(other.setting().dataset(), run.setting().dataset(), data.path()));
      }
    }
  }

  private void checkIds(List<Run> runs) {
    Set<String> ids = new HashSet<>();
    for (Run run : runs) {
      if (!ids.add(run.id())) {
        problems.add(
            "mixtraining.compare: two runs would be named %s; rename arms or datasets, and list no value twice"
                .formatted(run.id()));
      }
    }
  }

  /**
   * Blocks by their names, each of any keys but those that are not its own to set. A name whose
   * value is null is taken out: so a file leaves out an arm of the one that it includes.
   */
  private SortedMap<String, ConfigObject> blocks(String key) {
    SortedMap<String, ConfigObject> blocks = new TreeMap<>();
    Map<String, ConfigValue> given = new TreeMap<>(settings.blocks(key));
    given.values().removeIf(value -> value.valueType() == ConfigValueType.NULL);
    given.forEach(
        (name, value) -> {
          if (!Names.isName(name)) {
            settings.refuse(key + "." + name, value, "a name must be of " + Names.RANGE);
          } else if (value instanceof ConfigObject block) {
            blocks.put(name, block);
            checkKeys(key + "." + name, block.toConfig());
          } else {
            settings.refuse(key + "." + name, value, "must be a block { … }");
          }
        });
    if (given.isEmpty()) {
      problems.add(
          "%s = {}: must name at least one, as { name { key = value } }"
              .formatted(Settings.full(key)));
    }
    return blocks;
  }

  private void checkKeys(String name, Config block) {
    for (String key : NOT_IN_A_BLOCK) {
      if (block.hasPath(key)) {
        settings.refuse(
            name + "." + key,
            block.getValue(key),
            "cannot be set here: the comparison sets it, or all its runs share it");
      }
    }
  }

  private List<Double> shares(String key) {
    return list(key, c -> c.getDoubleList("list"), n -> 0 < n && n <= 1, "numbers in (0, 1]");
  }

  private <T> List<T> list(
      String key, Function<Config, List<T>> read, Predicate<T> allowed, String range) {
    return settings.read(
        key,
        text -> parsed(text, read),
        list -> !list.isEmpty() && list.stream().allMatch(allowed),
        "a list of " + range + ", as [1, 0.5]");
  }

  private static <T> List<T> parsed(String text, Function<Config, List<T>> read) {
    try {
      return read.apply(ConfigFactory.parseString("list = " + text));
    } catch (ConfigException e) {
      throw new IllegalArgumentException(text, e);
    }
  }
}
