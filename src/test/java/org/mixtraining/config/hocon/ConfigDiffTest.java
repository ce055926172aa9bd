package org.mixtraining.config.hocon;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.mixtraining.config.JobConfig;

class ConfigDiffTest {

  private static String canonical(String... overrides) {
    return JobConfig.load(Optional.empty(), List.of(overrides)).canonical();
  }

  @Test
  void equalConfigurationsAreNoChange() {
    assertThat(ConfigDiff.forbidden(canonical(), canonical("epochs.ssl=10"))).isEmpty();
  }

  @Test
  void everyKeyThatDiffersIsNamedWithBothValues() {
    assertThat(
            ConfigDiff.forbidden(
                canonical(),
                canonical("optimizer.base-lr=0.01", "epochs.sl=12", "pipeline=ssl-sl")))
        .containsExactly(
            "mixtraining.augment.patch-dropout = \"constant(0)\", but was \"linear(0.5->0)\"",
            "mixtraining.epochs.sl = 12, but was 10",
            "mixtraining.optimizer.base-lr = 0.01, but was 0.004",
            "mixtraining.pipeline = \"ssl-sl\", but was \"mix\"");
  }

  @Test
  void whatNoBitDependsOnMayChange() {
    assertThat(
            ConfigDiff.forbidden(
                canonical(),
                canonical(
                    "run.id=made-from-the-time",
                    "checkpoint.every=5",
                    "checkpoint.keep=9",
                    "run.output=elsewhere",
                    "data.path=elsewhere",
                    "data.cache=disk",
                    "results.catalog=lake.mix",
                    "workers.threads-per-worker=4")))
        .isEmpty();
  }

  @Test
  void anotherCacheWithTheSameWindowGivesTheSameBits() {
    String streamed = canonical("data.cache=none");

    assertThat(ConfigDiff.forbidden(streamed, canonical("data.cache=memory", "data.window=512")))
        .isEmpty();
    assertThat(ConfigDiff.forbidden(streamed, canonical("data.cache=memory")))
        .containsExactly("mixtraining.data.window = 0, but was 512");
  }

  @Test
  void aKeyThatAnOlderVersionDidNotHaveIsAtItsDefault() {
    String before = canonical().replaceFirst("\"checkpoint\":\\{[^}]*},", "");
    String older = before.replaceFirst("\"label-smoothing\":[0-9.]+,", "");

    assertThat(older).doesNotContain("checkpoint", "label-smoothing");
    assertThat(ConfigDiff.forbidden(older, canonical())).isEmpty();
    assertThat(ConfigDiff.forbidden(older, canonical("optimizer.label-smoothing=0")))
        .containsExactly("mixtraining.optimizer.label-smoothing = 0, but was 0.1");
  }

  @Test
  void aBatchThatWasThatOfEachWorkerIsThatOfAllOfThem() {
    String older = canonical().replaceFirst(",\"rounds\":\"auto\"", "");
    assertThat(older).doesNotContain("rounds").contains("\"batch-size\":64");

    assertThat(
            ConfigDiff.forbidden(
                older,
                canonical(
                    "optimizer.batch-size=128", "optimizer.base-lr=0.002", "averaging.rounds=1")))
        .isEmpty();
    assertThat(ConfigDiff.forbidden(older, canonical()))
        .containsExactly(
            "mixtraining.averaging.rounds = \"auto\", but was 1",
            "mixtraining.optimizer.base-lr = 0.004, but was 0.002",
            "mixtraining.optimizer.batch-size = 64, but was 128");
    String alone = older.replace("\"count\":2", "\"count\":1");
    assertThat(ConfigDiff.forbidden(alone, canonical("workers.count=1"))).isEmpty();
  }

  @Test
  void beforeImagesWithoutALabelCouldBeLeftOutAllWereVisited() {
    String key = ",\"unlabelled-fraction\":\"linear(1->0)\"";
    String few = canonical("data.label-fraction=0.1");
    String older = few.replace(key, "");
    assertThat(few).contains(key);

    assertThat(ConfigDiff.forbidden(older, few))
        .containsExactly(
            "mixtraining.mix.unlabelled-fraction = \"linear(1->0)\", but was \"constant(1)\"");
    assertThat(
            ConfigDiff.forbidden(
                canonical().replace(",\"unlabelled-fraction\":\"constant(1)\"", ""), canonical()))
        .isEmpty();
  }

  /** It was the default where products on the CPU were in float32 whatever it said. */
  @Test
  void thePrecisionThatWasThatOfGpusAloneIsFloat32OnTheCpu() {
    String older =
        canonical("workers.count=1")
            .replaceFirst(",\"rounds\":\"auto\"", "")
            .replace("\"precision\":\"auto\"", "\"precision\":\"bf16\"");
    assertThat(older).contains("\"precision\":\"bf16\"");

    assertThat(ConfigDiff.forbidden(older, canonical("workers.count=1", "workers.precision=fp32")))
        .isEmpty();
    assertThat(ConfigDiff.forbidden(older, canonical("workers.count=1")))
        .containsExactly("mixtraining.workers.precision = \"auto\", but was \"fp32\"");
    String onGpu = older.replace("\"device\":\"auto\"", "\"device\":\"gpu\"");
    assertThat(
            ConfigDiff.forbidden(
                onGpu,
                canonical("workers.count=1", "workers.device=gpu", "workers.precision=bf16")))
        .isEmpty();
    assertThat(
            ConfigDiff.forbidden(
                canonical("workers.precision=bf16"), canonical("workers.precision=fp32")))
        .containsExactly("mixtraining.workers.precision = \"fp32\", but was \"bf16\"");
  }
}
