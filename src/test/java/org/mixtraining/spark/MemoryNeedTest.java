package org.mixtraining.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import org.apache.spark.SparkConf;
import org.junit.jupiter.api.Test;
import org.mixtraining.config.UserException;

class MemoryNeedTest {
  private static final long MB = 1_000_000;

  /** Two workers at a time of a model with states of 86 MB: vit-tiny, batch 64. */
  private static final MemoryNeed TINY = MemoryNeed.of(2, 86 * MB, 100 * MB, 900 * MB);

  private static SparkConf conf(String master, String... settings) {
    SparkConf conf = new SparkConf(false).set("spark.master", master);
    for (int i = 0; i < settings.length; i += 2) {
      conf.set(settings[i], settings[i + 1]);
    }
    return conf;
  }

  private static UserException refused(SparkConf conf) {
    return catchThrowableOfType(UserException.class, () -> TINY.check(MemoryGiven.to(conf, 2)));
  }

  @Test
  void theNeedGrowsWithTheWorkersOfAProcess() {
    assertThat(TINY.describe())
        .isEqualTo(
            "an executor needs about 888 MB of heap and 2300 MB beyond it (200 MB of images, 1800 MB to compute in)");
    assertThat(MemoryNeed.of(1, 86 * MB, 100 * MB, 900 * MB).compute()).isEqualTo(900 * MB);
  }

  @Test
  void everySettingThatIsTooSmallIsNamedWithWhatIsNeeded() {
    UserException refused =
        refused(
            conf(
                "yarn",
                "spark.executor.memory",
                "512m",
                "spark.executor.extraJavaOptions",
                "-Dorg.bytedeco.javacpp.maxbytes=1g -Dorg.bytedeco.javacpp.maxphysicalbytes=2g -Xss1m"));

    assertThat(refused.problems())
        .satisfiesExactly(
            line ->
                assertThat(line)
                    .isEqualTo(
                        "spark.executor.memory: an executor that trains 2 workers at a time needs about 888 MB of Java heap, and has 537 MB; raise it, or train fewer at a time (mixtraining.workers.per-executor, mixtraining.compare.parallel)"),
            line ->
                assertThat(line)
                    .startsWith("-Dorg.bytedeco.javacpp.maxbytes in spark.executor.")
                    .contains("1800 MB of compute memory, and has 1074 MB"),
            line ->
                assertThat(line)
                    .startsWith("spark.executor.memoryOverhead: ")
                    .contains("2300 MB of memory beyond the heap, and has 403 MB"),
            line ->
                assertThat(line)
                    .startsWith("-Dorg.bytedeco.javacpp.maxphysicalbytes in spark.executor.")
                    .contains("3188 MB of memory in total (heap and outside it), and has 2148 MB"));
  }

  @Test
  void imagesThatDoNotFitNeedNotLieInMemory() {
    MemoryNeed large = MemoryNeed.of(1, 86 * MB, 24_000 * MB, 900 * MB);

    assertThat(large.problems(MemoryGiven.to(conf("yarn", "spark.executor.memory", "2g"), 1)))
        .anySatisfy(
            line ->
                assertThat(line)
                    .isEqualTo(
                        "-XX:MaxDirectMemorySize: an executor that trains 1 worker at a time needs about 24000 MB of images outside the heap, and has 2148 MB; raise it, or set mixtraining.data.cache = disk or none"));
  }

  @Test
  void onlyResourceManagersThatEndGreedyExecutorsBoundTheOverhead() {
    String[] enough = {
      "spark.executor.memory",
      "2g",
      "spark.executor.defaultJavaOptions",
      "-Dorg.bytedeco.javacpp.maxbytes=4g"
    };

    assertThatCode(() -> TINY.check(MemoryGiven.to(conf("spark://m:7077", enough), 2)))
        .doesNotThrowAnyException();
    assertThat(refused(conf("k8s://https://m", enough)).problems())
        .singleElement()
        .asString()
        .startsWith("spark.executor.memoryOverhead: ");
    assertThatCode(
            () ->
                TINY.check(
                    MemoryGiven.to(
                        conf("k8s://https://m", enough)
                            .set("spark.executor.memoryOverhead", "2500"),
                        2)))
        .doesNotThrowAnyException();
  }

  @Test
  void withoutASettingJavaCppMayTakeAsMuchAsTheHeap() {
    assertThat(refused(conf("spark://m:7077", "spark.executor.memory", "1g")).problems().get(0))
        .startsWith("-Dorg.bytedeco.javacpp.maxbytes in spark.executor.extraJavaOptions: ");
  }

  /** Two trainings of vit-tiny in one process of 1 GB ran out of heap. */
  @Test
  void aProcessThatIsTheDriverTooHoldsItsStatesAsWell() {
    MemoryNeed local = TINY.besideDrivers(2, 86 * MB);

    assertThat(local.describe()).startsWith("an executor needs about 1232 MB of heap");
    assertThat(TINY.besideDrivers(0, 86 * MB)).isEqualTo(TINY);
  }

  @Test
  void tasksAtATimeAreCoresByCoresATask() {
    assertThat(MemoryGiven.to(conf("local-cluster[2, 4, 1024]", "spark.task.cpus", "2"), 9).tasks())
        .isEqualTo(2);
    assertThat(MemoryGiven.to(conf("yarn", "spark.executor.cores", "8"), 9).tasks()).isEqualTo(8);
    assertThat(MemoryGiven.to(conf("spark://m:7077", "spark.task.cpus", "4"), 9).tasks())
        .isEqualTo(1);
    assertThat(MemoryGiven.to(conf("local[3]"), 3).tasks()).isEqualTo(3);
  }
}
