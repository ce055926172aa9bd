package org.mixtraining.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.data.prepare.Prepare;
import org.mixtraining.data.prepare.Prepare.Existing;

@Tag("real-data")
class RealDataTest {
  private static final Path SHARED = Path.of(System.getProperty("mixtraining.shared", "../shared"));

  @TempDir Path directory;

  private DatasetManifest prepare(String format, String name, String label, double validation) {
    var source = SHARED.resolve("data").resolve(name).toAbsolutePath().normalize();
    assumeTrue(
        Files.isDirectory(source),
        () -> "no real images at " + source + " (-Dmixtraining.shared=DIR to change)");
    var data =
        RawFiles.configured(
            format,
            directory,
            "data.source=" + source,
            "data.path=" + directory.resolve(label),
            "data.label=" + (format.equals("cifar100") ? label : "fine"),
            "data.image-size=" + (format.equals("tinyimagenet") ? 64 : 32),
            "data.shards=4",
            "data.validation=" + validation,
            "data.max-bad-fraction=0",
            "data.seed=1");
    return Prepare.run(RawFiles.spark(), data, Existing.REFUSE, line -> {});
  }

  @Test
  void cifar10() {
    var manifest = prepare("cifar10", "cifar10-10pct", "label", 0.1);
    assertThat(manifest.classes()).startsWith("airplane", "automobile").endsWith("truck");
    assertThat(manifest.splits().get(Split.TRAIN))
        .isEqualTo(DatasetManifest.Contents.of(Collections.nCopies(10, 450L), 0));
    assertThat(manifest.splits().get(Split.VALIDATION))
        .isEqualTo(DatasetManifest.Contents.of(Collections.nCopies(10, 50L), 0));
    assertThat(manifest.splits().get(Split.TEST))
        .isEqualTo(DatasetManifest.Contents.of(Collections.nCopies(10, 200L), 0));
    assertThat(manifest.normalization().mean().get(0)).isBetween(0.48, 0.50);
    assertThat(manifest.normalization().std().get(2)).isBetween(0.25, 0.27);
  }

  @Test
  void cifar100() {
    var fine = prepare("cifar100", "cifar100-mini", "fine", 0);
    assertThat(fine.splits().get(Split.TRAIN))
        .isEqualTo(DatasetManifest.Contents.of(Collections.nCopies(100, 10L), 0));
    assertThat(fine.splits().get(Split.TEST).images()).isEqualTo(500);
    assertThat(fine.classes()).startsWith("apple").endsWith("worm");
  }

  @Test
  void tinyImageNet() {
    var manifest = prepare("tinyimagenet", "tinyimagenet-mini/tiny-imagenet-200", "label", 0.2);
    assertThat(manifest.classes()).startsWith("Egyptian cat", "reel").doesNotHaveDuplicates();
    assertThat(manifest.quarantined()).isZero();
    assertThat(manifest.height()).isEqualTo(64);
    assertThat(manifest.splits().get(Split.TRAIN))
        .isEqualTo(DatasetManifest.Contents.of(Collections.nCopies(200, 4L), 0));
    assertThat(manifest.splits().get(Split.TEST).images()).isEqualTo(200);
    assertThat(manifest.normalization().mean().get(0)).isBetween(0.47, 0.49);
    assertThat(manifest.normalization().std().get(2)).isBetween(0.27, 0.29);
  }
}
