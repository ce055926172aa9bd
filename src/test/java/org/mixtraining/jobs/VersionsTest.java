package org.mixtraining.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.mixtraining.results.RunRow;

class VersionsTest {

  @Test
  void aBuildKnowsItsVersions() {
    RunRow.Versions versions = Versions.provenance();

    assertThat(versions.jobVersion()).matches("\\d+\\.\\d+\\.\\d+");
    assertThat(versions.sparkVersion()).startsWith("3.5.");
    assertThat(versions.dl4jVersion()).isEqualTo("1.0.0-M2.1");
  }

  @Test
  void aBuildFromARepositoryKnowsItsRevision() {
    assumeTrue(Files.exists(Path.of(".git")), "this is no repository");

    assertThat(Versions.provenance().gitRevision()).matches("[\\w.-]*[0-9a-f]{7,40}(-dirty)?");
  }
}
