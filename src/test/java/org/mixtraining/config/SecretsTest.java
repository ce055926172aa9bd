package org.mixtraining.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SecretsTest {

  @ParameterizedTest
  @ValueSource(
      strings = {
        "tracking.password=hunter2",
        "store.Secret=hunter2",
        "run.api-key=hunter2",
        "run.apiToken=hunter2",
        "run.credentials={user = hunter2}",
        "aws.access_key=hunter2",
        "a password=hunter2 }",
        "data.path=s3a://me:hunter2@bucket/images",
      })
  void aSecretIsInNoMessage(String override) {
    UserException refused =
        catchThrowableOfType(
            UserException.class,
            () -> JobConfig.load(Optional.empty(), List.of(override, "epochs.sl=-1")));

    assertThat(refused)
        .hasMessageNotContaining("hunter2")
        .hasMessageContaining("mixtraining.epochs.sl = -1");
  }

  @Test
  void anAddressKeepsItsPlaceOnly() {
    assertThat(Secrets.inText("cannot read s3a://me:hunter2@bucket/a and file:/b@c, http://x/y@z"))
        .isEqualTo("cannot read s3a://(redacted)@bucket/a and file:/b@c, http://x/y@z");
  }

  @Test
  void aCommandLineShowsNone() {
    String word = "store={user = me, password = hunter2 }";

    assertThat(
            Secrets.inCommand(
                "Main train -D data.path=s3a://me:hunter2@b/i --conf spark.hadoop.fs.s3a.secret.key=hunter2 -D "
                    + word,
                "train",
                word))
        .isEqualTo(
            "Main train -D data.path=s3a://(redacted)@b/i --conf spark.hadoop.fs.s3a.secret.key=(redacted) -D store=(redacted)");
  }

  @Test
  void theCanonicalConfigurationHoldsNone() {
    JobConfig config =
        JobConfig.load(Optional.empty(), List.of("data.path=s3a://me:hunter2@bucket/images"));

    assertThat(config.data().path()).contains("hunter2");
    assertThat(config.canonical())
        .doesNotContain("hunter2")
        .contains("\"path\":\"s3a://(redacted)@bucket/images\"");
  }
}
