package org.mixtraining.spark;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.data.prepare.Prepare;
import org.mixtraining.run.EpochOutcome;

/** Grey images from IDX files to a trained model. */
class GreyRunTest {
  private static final int SIDE = 8;

  @TempDir Path directory;

  /** Images that are dark if their label is 0, and light if it is 1. */
  private void write(String name, int images) throws IOException {
    var pixels = ByteBuffer.allocate(16 + images * SIDE * SIDE);
    pixels.putInt(0x803).putInt(images).putInt(SIDE).putInt(SIDE);
    var labels = ByteBuffer.allocate(8 + images).putInt(0x801).putInt(images);
    for (int i = 0; i < images; i++) {
      labels.put((byte) (i % 2));
      for (int p = 0; p < SIDE * SIDE; p++) {
        pixels.put((byte) (i % 2 * 130 + (p * 31 + i * 17) % 90));
      }
    }
    var raw = Files.createDirectories(directory.resolve("raw"));
    Files.write(raw.resolve(name + "-images-idx3-ubyte"), pixels.array());
    Files.write(raw.resolve(name + "-labels-idx1-ubyte"), labels.array());
  }

  @Test
  void oneChannelTrainsFromFilesToAccuracy() throws IOException {
    write("train", 128);
    write("t10k", 32);
    var config =
        SmallRun.config(
            directory.resolve("prepared"),
            "data.format=idx",
            "data.source=" + directory.resolve("raw"),
            "data.image-size=8",
            "model.patch=4",
            "epochs={ssl = 2, sl = 6}",
            "augment.ssl.crop-padding=0",
            "augment.sl.crop-padding=0",
            "optimizer.base-lr=0.04",
            "workers.count=1");
    try (var session =
        SparkSession.builder()
            .master("local[2, 2]")
            .config("spark.ui.enabled", false)
            .config("spark.sql.shuffle.partitions", 1)
            .config("spark.sql.codegen.wholeStage", false)
            .config("spark.sql.codegen.factoryMode", "NO_CODEGEN")
            .getOrCreate()) {
      session.sparkContext().setLogLevel("OFF");
      var manifest = Prepare.run(session, config.data(), Prepare.Existing.REFUSE, line -> {});
      assertThat(manifest.channels()).isEqualTo(1);
      assertThat(manifest.classes()).containsExactly("0", "1");
      assertThat(manifest.normalization().mean()).hasSize(1);

      var epochs = new ArrayList<EpochOutcome>();
      var spark = JavaSparkContext.fromSparkContext(session.sparkContext());
      try (var run = new SparkRun(spark, config)) {
        run.train(run.initialState(), epochs::add);
      }
      assertThat(epochs.get(epochs.size() - 1).scores().test().images()).isEqualTo(32);
      assertThat(epochs.get(epochs.size() - 1).scores().test().accuracy()).isGreaterThan(0.9);
    }
  }
}
