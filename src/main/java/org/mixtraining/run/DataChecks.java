package org.mixtraining.run;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.mixtraining.config.DataConfig;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.ModelConfig.Positions;
import org.mixtraining.config.Secrets;
import org.mixtraining.config.UserException;
import org.mixtraining.data.DatasetManifest;
import org.mixtraining.data.Split;
import org.mixtraining.schedule.MixSchedule;
import org.mixtraining.schedule.Objective;

/** The checks of a run's datasets: those that refuse it, and those of which a person is told. */
public record DataChecks(TrainingData data) {
  /** Images on which an accuracy has a standard error of up to five points. */
  private static final long FEW = 100;

  /**
   * Checks that every task has a labelled image to train on, which small shares may not leave.
   *
   * @throws UserException if a task has none
   */
  public void labels() {
    DataConfig asked = data.config().data();
    for (LabelledData task : data.labelled()) {
      DatasetManifest m = task.dataset().manifest();
      if (m.labelled(Split.TRAIN, asked.labelledFraction()) == 0) {
        throw new UserException(
            "mixtraining.data.fraction = %s with mixtraining.data.label-fraction = %s: leave no labelled image of %s, which has %s training images, at most %s per class"
                .formatted(
                    asked.fraction(),
                    asked.labelFraction(),
                    Secrets.inText(task.dataset().path()),
                    m.images(Split.TRAIN),
                    Collections.max(m.splits().get(Split.TRAIN).histogram())));
      }
    }
  }

  /** A learned position belongs to a place in images of one size. */
  void positions() {
    List<Integer> sizes =
        data.labelled().stream()
            .map(task -> task.dataset().manifest().height())
            .distinct()
            .toList();
    if (data.config().model().positions() == Positions.LEARNED && sizes.size() > 1) {
      throw new UserException(
          "mixtraining.model.positions = learned: all tasks need images of one size, but theirs are %s pixels; sin-cos takes any"
              .formatted(sizes));
    }
  }

  /** A patch of one value, normalised by itself, is 0 whatever it was. */
  void reconstruction() {
    boolean reconstructs =
        MixSchedule.of(data.config()).epochs().stream()
            .anyMatch(plan -> plan.objective() != Objective.SL);
    if (reconstructs
        && data.vit().architecture().normPix()
        && data.vit().architecture().patchValues() == 1) {
      throw new UserException(
          "mixtraining.model.norm-pix = true: with grey images and mixtraining.model.patch = 1 a patch is one value, which normalises to 0; set false, or use larger patches");
    }
  }

  /** Whether labels could be shown more often at no more than the price that merging saves. */
  private Optional<String> morePasses() {
    JobConfig config = data.config();
    double hidden = config.model().maskRatio();
    boolean cheap =
        MixSchedule.of(config).epochs().stream()
            .filter(plan -> plan.objective() == Objective.JOINT)
            .allMatch(plan -> plan.unlabelledApart() && plan.maskRatio() == hidden);
    if (!cheap || !config.data().raw().keepUnlabelled()) {
      return Optional.empty();
    }
    long labelled = data.labelled().stream().mapToLong(data::labelled).sum();
    long all =
        data.labelled().stream()
            .mapToLong(task -> manifest(task).images(Split.TRAIN, config.data().fraction()))
            .sum();
    double share = (double) labelled / all;
    int passes = config.mix().labelPasses(config.epochs(), hidden, share);
    return passes <= config.mix().labelPasses()
        ? Optional.empty()
        : Optional.of(
            String.format(
                Locale.ROOT,
                "%.1f %% of the training images have a label: mixtraining.mix.label-passes = %d instead of %d shows them more often, and merged epochs still cost less than those that they replace",
                100 * share,
                passes,
                config.mix().labelPasses()));
  }

  private static DatasetManifest manifest(LabelledData task) {
    return task.dataset().manifest();
  }

  /** What a person should know of labels and of the images that the model is selected on. */
  public List<String> notes() {
    List<String> notes = new ArrayList<>();
    for (LabelledData task : data.labelled()) {
      long unlabelled = task.dataset().manifest().splits().get(Split.TRAIN).unlabelled();
      if (unlabelled > 0 && !data.config().data().hasUnlabelled()) {
        notes.add(
            "%s training images of %s have no label: set mixtraining.data.keep-unlabelled = true, as for prepare; defaults of the schedule depend on it"
                .formatted(unlabelled, Secrets.inText(task.task().path())));
      }
      long used = data.validated(task);
      long all = task.dataset().manifest().images(Split.VALIDATION);
      if (data.trainsHead() && all > 0 && (used < all || used < FEW)) {
        notes.add(
            "the best model is selected on %s of the %s validation images of %s%s%s"
                .formatted(
                    used,
                    all,
                    Secrets.inText(task.task().path()),
                    used < all
                        ? ": of each class at most as many as it has labelled training images"
                        : "",
                    used < FEW
                        ? String.format(
                            Locale.ROOT,
                            "; with so few, an accuracy has a standard error of up to %.0f percentage points: compare means over several seeds",
                            100 * Math.sqrt(0.25 / Math.max(1, used)))
                        : ""));
      }
    }
    morePasses().ifPresent(notes::add);
    return notes;
  }
}
