package org.mixtraining.tracking;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.config.JobConfig;
import org.mixtraining.results.EpochRow;
import org.mixtraining.results.RunRow;
import org.mixtraining.results.RunRow.Status;

class TrackersTest {
  @TempDir Path output;

  private static final class Broken implements Tracker {
    @Override
    public void run(RunRow row) {
      throw new IllegalStateException("no run");
    }

    @Override
    public void epoch(EpochRow row) {
      throw new IllegalStateException("no epoch");
    }

    @Override
    public void close() {
      throw new IllegalStateException("no end");
    }
  }

  private static final class Heard implements Tracker {
    private final List<String> heard = new ArrayList<>();

    @Override
    public void run(RunRow row) {
      heard.add("run");
    }

    @Override
    public void epoch(EpochRow row) {
      heard.add("epoch");
    }

    @Override
    public void close() {
      heard.add("close");
    }
  }

  private static void train(Trackers trackers) {
    try (trackers) {
      trackers.run(Rows.run(Status.RUNNING));
      trackers.epoch(Rows.epoch(1));
    }
  }

  @Test
  void oneThatFailsKeepsNeitherTheTrainingNorTheOthersFromGoingOn() {
    var heard = new Heard();

    train(new Trackers(List.of(new Broken(), heard)));

    assertThat(heard.heard).containsExactly("run", "epoch", "close");
  }

  private Trackers asked(String... overrides) {
    List<String> all = new ArrayList<>(List.of("run.output=" + output));
    all.addAll(List.of(overrides));
    return Trackers.of(new Configuration(), JobConfig.load(Optional.empty(), all), "first");
  }

  @Test
  void tensorBoardIsToldUnlessItIsNotWanted() {
    train(asked("tracking.tensorboard=false"));
    assertThat(output.resolve("tensorboard")).doesNotExist();

    train(asked());
    assertThat(output.resolve("tensorboard/first")).isNotEmptyDirectory();
  }

  @Test
  void anOutputThatCannotBeWrittenEndsNoTraining() throws Exception {
    Files.writeString(output.resolve("tensorboard"), "in the way");

    train(asked());

    assertThat(output.resolve("tensorboard")).isRegularFile();
  }
}
