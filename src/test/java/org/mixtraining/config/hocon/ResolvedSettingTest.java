package org.mixtraining.config.hocon;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.mixtraining.config.JobConfig;

class ResolvedSettingTest {

  private static List<ResolvedSetting> keys(String... overrides) {
    return ResolvedSetting.keys(JobConfig.load(Optional.empty(), List.of(overrides)).canonical());
  }

  @Test
  void everyKeyIsThereAndThoseThatWereGivenStandOut() {
    List<ResolvedSetting> keys = keys("epochs.sl=12", "data.source=\"[odd] name\"");

    assertThat(keys).hasSizeGreaterThan(60);
    assertThat(keys.stream().filter(key -> !key.byDefault()))
        .containsExactly(
            new ResolvedSetting("data.source", "\"[odd] name\"", false),
            new ResolvedSetting("epochs.sl", "12", false));
    assertThat(keys).contains(new ResolvedSetting("pipeline", "mix", true));
  }

  @Test
  void givenToTheCommandLineTheyMakeTheSameConfiguration() {
    String canonical =
        JobConfig.load(
                Optional.empty(),
                List.of(
                    "data.tasks=[{name = a, path = \"x y\"}, {name = b, path = z, weight = 2}]",
                    "mix.alpha=cosine(0.9->0.1)",
                    "augment.sl.random-resized-crop.scale=[0.2, 1]",
                    "run.seed=-9"))
            .canonical();

    List<String> given =
        ResolvedSetting.keys(canonical).stream()
            .filter(key -> !key.byDefault())
            .map(key -> key.key() + "=" + key.value())
            .toList();

    assertThat(JobConfig.load(Optional.empty(), given).canonical()).isEqualTo(canonical);
  }

  @Test
  void aPasswordIsKnownToBeMissing() {
    assertThat(keys("data.path=s3a://me:secret@bucket/x"))
        .filteredOn(ResolvedSetting::redacted)
        .extracting(ResolvedSetting::key)
        .containsExactly("data.path");
  }
}
