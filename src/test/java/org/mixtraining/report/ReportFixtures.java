package org.mixtraining.report;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.MixConfig.MixPass;
import org.mixtraining.config.Pipeline;
import org.mixtraining.data.Split;
import org.mixtraining.data.preview.Completions.Completion;
import org.mixtraining.report.ComparisonFacts.ArmResult;
import org.mixtraining.report.ComparisonFacts.ArmRun;
import org.mixtraining.report.ComparisonFacts.Place;
import org.mixtraining.report.RunFacts.PhaseCost;
import org.mixtraining.report.RunFacts.Taken;
import org.mixtraining.results.ClassRow;
import org.mixtraining.results.EpochRow;
import org.mixtraining.results.FeatureRow;
import org.mixtraining.results.PredictionRow;
import org.mixtraining.results.RunRow;
import org.mixtraining.results.WorkerRow;
import org.mixtraining.schedule.Objective;
import org.mixtraining.schedule.Phase;

/** A run and a comparison with made-up numbers, and with names that mean harm. */
final class ReportFixtures {
  static final Instant NOON = Instant.parse("2026-03-01T12:00:00Z");
  static final String EVIL = "<script>alert('1')</script> & \"quoted\" </style>";
  private static final int EPOCHS = 6;

  private ReportFixtures() {}

  // --- a run -----------------------------------------------------------------------------------

  static RunFacts finished(int classes) {
    RunRow.Progress progress =
        new RunRow.Progress(EPOCHS, 0.5, 5, 0.45, 0.44, 24_000, 3.5e12, 72, 120, 1, 8.0, 1e12, 9.0);
    return new RunFacts(
        run(RunRow.Status.FINISHED, progress, null),
        IntStream.rangeClosed(1, EPOCHS).mapToObj(ReportFixtures::epoch).toList(),
        workers(),
        List.of(
            new PhaseCost(Phase.SSL, 2, 8000, 24, 1e12, 40, 0.0, 0.0),
            new PhaseCost(Phase.MIX, 2, 8000, 24, 1e12, 40, 4.0, 5e11),
            new PhaseCost(Phase.SL, 2, 8000, 24, 1.5e12, 40, 4.0, null)),
        IntStream.range(0, classes).mapToObj(label -> ofClass(label, classes)).toList(),
        confusion(classes),
        List.of(prediction(7, 0, 0), prediction(9, 1, 0)),
        List.of(
            new FeatureRow(
                "noon", "final", FeatureRow.Method.K_NN, "main", Split.TEST, 40, 90, 0.5, NOON)));
  }

  /** It has begun, and that is all. */
  static RunFacts begun() {
    return new RunFacts(
        run(RunRow.Status.FAILED, RunRow.Progress.NONE, "no " + EVIL),
        List.of(),
        List.of(),
        List.of(),
        List.of(),
        List.of(),
        List.of(),
        List.of());
  }

  static RunRow run(RunRow.Status status, RunRow.Progress progress, String error) {
    return new RunRow(
        "noon",
        status,
        NOON,
        status == RunRow.Status.RUNNING ? null : NOON.plusSeconds(80),
        error,
        new RunRow.Setup(
            Pipeline.MIX, "vit-nano", 149_194, 3, 2, EPOCHS, EVIL, "f00d", null, config()),
        new RunRow.Versions("0.1.0", "3.5.9", "1.0.0-M2.1", "17.0.15", null),
        progress,
        status == RunRow.Status.FINISHED ? "5ha256" : null,
        status == RunRow.Status.FINISHED ? false : null);
  }

  static String config() {
    return JobConfig.load(
            Optional.empty(),
            List.of(
                "run.id=noon",
                "run.seed=3",
                "data.path=it's " + EVIL,
                "data.source=s3a://key:secret@bucket/raw",
                "mix.alpha=linear(1->0)",
                "optimizer.ssl-betas=[0.9, 0.98]",
                "epochs={ssl = 4, sl = 4}"))
        .canonical();
  }

  private static EpochRow epoch(int epoch) {
    Phase phase = epoch <= 2 ? Phase.SSL : epoch <= 4 ? Phase.MIX : Phase.SL;
    boolean ssl = phase != Phase.SL;
    boolean sl = phase != Phase.SSL;
    double accuracy = epoch / 10.0 - (epoch == 6 ? 0.15 : 0);
    return new EpochRow(
        "noon",
        epoch,
        phase,
        phase == Phase.SSL ? Objective.SSL : phase == Phase.MIX ? Objective.JOINT : Objective.SL,
        phase == Phase.MIX ? MixPass.VISIBLE : null,
        phase == Phase.SSL ? 1 : phase == Phase.MIX ? 0.5 : 0,
        ssl ? 0.75 : null,
        0.001 / epoch,
        0.001 / (epoch + 1),
        new EpochRow.Training(
            1.5, ssl ? 1.0 / epoch : null, sl ? 2.0 / epoch : null, sl ? accuracy - 0.05 : null),
        sl
            ? new EpochRow.Evaluation(1.9, accuracy, 0.9, 1.8, accuracy - 0.05, 0.875)
            : EpochRow.Evaluation.NONE,
        new EpochRow.Cost(
            4000, 125, 5e11, 8, 1, 0.5, sl ? 2 : 0, 12, 1_000_000, sl ? 2.5e11 : 0, sl ? 2.25 : 0),
        new EpochRow.Batches(63, 63.5, 32.0, 8),
        NOON.plusSeconds(12L * epoch));
  }

  private static List<WorkerRow> workers() {
    List<WorkerRow> rows = new ArrayList<>();
    for (int epoch = 1; epoch <= EPOCHS; epoch++) {
      for (int worker = 0; worker < 2; worker++) {
        rows.add(
            new WorkerRow(
                "noon",
                epoch,
                worker,
                "node-" + worker,
                "7",
                "cpu",
                2000,
                62,
                1.5,
                10 + worker,
                worker * 2.0,
                1L << 30,
                null,
                epoch == 3 ? 1 : 0,
                0.5,
                1));
      }
    }
    return rows;
  }

  private static ClassRow ofClass(int label, int classes) {
    return new ClassRow(
        "noon", 5, Split.TEST, "main", label, name(label), 20, (label + 1.0) / classes, 0.9, 1.5);
  }

  static String name(int label) {
    return label == 0 ? EVIL : "class " + label;
  }

  private static List<Taken> confusion(int classes) {
    List<Taken> taken = new ArrayList<>();
    for (int label = 0; label < classes; label++) {
      int other = (label + 1) % classes;
      taken.add(new Taken("main", label, name(label), label, name(label), 15, 0.75));
      taken.add(new Taken("main", label, name(label), other, name(other), 5 + label, 0.25));
    }
    return taken;
  }

  private static PredictionRow prediction(long id, int label, int predicted) {
    return new PredictionRow(
        "noon",
        Split.TEST,
        id,
        "main",
        label,
        name(label),
        predicted,
        name(predicted),
        0.625,
        "best",
        5);
  }

  static Pictures pictures() {
    byte[] png = png();
    return new Pictures(
        Map.of("main", Map.of(7L, png, 9L, png)),
        "",
        List.of(new Completion(EVIL, png, png, png)),
        "");
  }

  static Pictures noPictures() {
    return new Pictures(Map.of(), "data.path: gone", List.of(), "no decoder");
  }

  private static byte[] png() {
    var png = new ByteArrayOutputStream();
    try {
      ImageIO.write(new BufferedImage(4, 4, BufferedImage.TYPE_INT_RGB), "png", png);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return png.toByteArray();
  }

  // --- a comparison ----------------------------------------------------------------------------

  static ComparisonFacts comparison() {
    List<ArmResult> arms = new ArrayList<>();
    List<ArmRun> runs = new ArrayList<>();
    for (double fraction : List.of(1.0, 0.25)) {
      Place place = new Place("cifar " + EVIL, fraction, 1.0);
      arm(place, "mix", 0.5 * fraction, 40, arms, runs);
      arm(place, "ssl-sl", 0.4 * fraction, 60, arms, runs);
    }
    runs.add(
        new ArmRun(
            "left", arms.get(0).place(), "mix", "ssl-sl", "not begun", null, null, null, null));
    return new ComparisonFacts(
        "noons", arms, runs, List.of(run(RunRow.Status.FINISHED, RunRow.Progress.NONE, null)));
  }

  private static void arm(
      Place place,
      String arm,
      double accuracy,
      double seconds,
      List<ArmResult> arms,
      List<ArmRun> runs) {
    boolean better = arm.equals("mix");
    arms.add(
        new ArmResult(
            place,
            arm,
            2,
            better ? 3 : 2,
            accuracy,
            0.01,
            seconds,
            1e12 * seconds,
            better ? 0.1 * place.fraction() : 0.0,
            better ? 0.03 : null,
            better ? 1.5 : 1.0,
            better ? 1.5 : 1.0,
            better,
            better,
            accuracy + 0.02,
            better ? 2e11 : null));
    for (int seed = 0; seed < 2; seed++) {
      double off = seed == 0 ? -1 : 1;
      runs.add(
          new ArmRun(
              arm + seed,
              place,
              arm,
              "ssl-sl",
              "finished",
              (long) seed,
              accuracy + off * 0.01,
              seconds + off,
              1e12 * seconds));
    }
  }

  /** The words that a shell makes of a command. */
  static List<String> words(String command) {
    List<String> words = new ArrayList<>();
    StringBuilder word = new StringBuilder();
    boolean quoted = false;
    String text = command.replace("\\\n", " ") + " ";
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '\'') {
        quoted = !quoted;
      } else if (c == '\\' && !quoted) {
        word.append(text.charAt(++i));
      } else if (c == ' ' && !quoted) {
        if (!word.isEmpty()) {
          words.add(word.toString());
          word.setLength(0);
        }
      } else {
        word.append(c);
      }
    }
    return words;
  }
}
