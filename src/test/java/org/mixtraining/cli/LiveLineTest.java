package org.mixtraining.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.mixtraining.config.JobConfig;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.schedule.MixSchedule;
import org.mixtraining.spark.ExecutorProgress;
import org.mixtraining.spark.WorkerProgress;
import org.mixtraining.train.EpochMetrics;

class LiveLineTest {
  private static final List<EpochPlan> PLANS =
      MixSchedule.of(
              JobConfig.load(
                  Optional.empty(), List.of("epochs={ssl = 2, sl = 2}", "mix.ratio=0.5")))
          .epochs();

  /** A worker that is done with half of its 20 steps, at 100 images/s. */
  private static ExecutorProgress half(int worker, EpochPlan plan, long labelled) {
    var soFar =
        new EpochMetrics(
            1000, new TreeMap<>(Map.of("head", labelled)), labelled / 4, 10, 2500, 0, 0, 0, 8, 2);
    return new ExecutorProgress(
        "" + worker, List.of(new WorkerProgress(plan, worker, 10, 20, soFar)), 2.5, 100, 0.2, 1, 1);
  }

  @Test
  void theLineTellsWhereTheEpochIsAndWhenTheRunWillBeOver() throws InterruptedException {
    var drawn = new ArrayList<String>();
    var line = new LiveLine(new EpochLine(), drawn::add);

    line.accept(half(0, PLANS.get(0), 0));
    Thread.sleep(250); // it is not drawn more often than an eye sees
    line.accept(half(1, PLANS.get(0), 0));
    Thread.sleep(250);
    line.accept(half(1, PLANS.get(1), 800));
    line.accept(half(0, PLANS.get(0), 0)); // too late

    assertThat(drawn)
        .containsExactly(
            "epoch 1/3 · SSL · step 10/20 · 100 images/s · loss 2.5000 · 50 s left",
            "epoch 1/3 · SSL · step 10/20 · 200 images/s · loss 2.5000 · 50 s left",
            "epoch 2/3 · MIX joint · step 10/20 · 100 images/s · loss 2.5000 · train 25.0 % · 30 s left");
  }

  private static String shown(int columns, String... drawn) {
    PrintStream err = System.err;
    var shown = new ByteArrayOutputStream();
    System.setErr(new PrintStream(shown, true, StandardCharsets.UTF_8));
    try {
      var screen = new Screen(columns);
      for (String line : drawn) {
        screen.draw(line);
      }
      screen.print("a line that stays");
    } finally {
      System.setErr(err);
    }
    return shown.toString(StandardCharsets.UTF_8);
  }

  @Test
  void onATerminalALineIsDrawnOverTheOneBeforeAndCutToItsWidth() {
    assertThat(shown(8, "first", "second, longer"))
        .isEqualTo("\r\u001b[Kfirst\r\u001b[Ksecond,\r\u001b[Ka line that stays\n");
  }

  @Test
  void elsewhereNothingIsDrawn() {
    assertThat(shown(0, "first", "second")).isEqualTo("a line that stays\n");
  }
}
