package org.mixtraining.schedule;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import org.mixtraining.config.Curve;
import org.mixtraining.config.EpochsConfig;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.KebabCase;
import org.mixtraining.config.MixConfig;
import org.mixtraining.config.MixConfig.MixMode;
import org.mixtraining.config.MixConfig.MixPass;
import org.mixtraining.config.OptimizerConfig;
import org.mixtraining.config.OptimizerConfig.Span;
import org.mixtraining.schedule.EpochPlan.Unlabelled;

/**
 * The schedule of a run: one {@link EpochPlan} per epoch. Of {@code epochs.ssl} and {@code
 * epochs.sl}, pipeline {@code mix} merges {@code e_mix = round(ratio · min(ssl, sl))} (a half
 * rounds up):
 *
 * <ul>
 *   <li>phase SSL: {@code ssl − e_mix} epochs;
 *   <li>phase MIX: {@code e_mix} JOINT epochs, or {@code 2·e_mix} epochs alternating SSL and SL;
 *   <li>phase SL: {@code sl − e_mix} epochs.
 * </ul>
 *
 * Pipeline {@code ssl-sl} merges none, {@code sl} has the SL epochs alone, and {@code ssat} is
 * {@code max(ssl, sl)} JOINT epochs of two passes. The weight of the SSL loss and the mask ratio of
 * a JOINT epoch, and the patch dropout of one in phase SL, are their curves' values at the centre
 * of the epoch. Where only some images have labels that are used, the images without one keep the
 * SSL epochs' mask ratio while the visible pass grows, and so their price; a JOINT epoch visits a
 * share of them ({@code mix.unlabelled-fraction}); and before it come {@code mix.label-passes − 1}
 * SL epochs that see as many patches as SSL epochs do. One learning-rate schedule spans the run, or
 * each phase has one.
 */
public record MixSchedule(List<EpochPlan> epochs) {
  public MixSchedule {
    epochs = List.copyOf(epochs);
  }

  /** The plan that a configuration asks for. */
  public static MixSchedule of(JobConfig config) {
    EpochsConfig asked = config.epochs();
    MixConfig mix = config.mix();
    Step ssl =
        new Step(
            Phase.SSL, Objective.SSL, EncoderInput.VISIBLE, 1, config.model().maskRatio(), null);
    Curve dropout = config.augment().patchDropout();
    List<Step> steps = new ArrayList<>();
    switch (config.pipeline()) {
      case SL -> supervised(steps, asked.sl(), dropout);
      case SSL_SL -> {
        repeat(steps, asked.ssl(), ssl);
        supervised(steps, asked.sl(), dropout);
      }
      case MIX -> {
        int merged = mix.merged(asked);
        repeat(steps, asked.ssl() - merged, ssl);
        if (mix.mode() == MixMode.JOINT) {
          joint(steps, merged, mix.pass(), mix.labelPasses(), config);
        } else {
          for (int i = 0; i < merged; i++) {
            steps.add(ssl.in(Phase.MIX));
            steps.add(supervised(0).in(Phase.MIX));
          }
        }
        supervised(steps, asked.sl() - merged, dropout);
      }
      case SSAT -> joint(steps, Math.max(asked.ssl(), asked.sl()), MixPass.TWO_PASS, 1, config);
    }
    return dated(steps, config.optimizer());
  }

  /** Whether any epoch trains on labels. */
  public boolean needsLabels() {
    return epochs.stream().anyMatch(MixSchedule::trainsHead);
  }

  private static boolean trainsHead(EpochPlan plan) {
    return plan.objective() != Objective.SSL;
  }

  /**
   * Whether the model is scored after an epoch: of those that train a head, every so many, counted
   * back from the last.
   */
  public boolean scores(EpochPlan plan, int every) {
    long after = epochs.stream().skip(plan.epoch() + 1L).filter(this::mayBeScored).count();
    return mayBeScored(plan) && after % every == 0;
  }

  private boolean mayBeScored(EpochPlan plan) {
    return trainsHead(plan) && !precedesJoint(plan);
  }

  /** Whether it is one of the passes over labelled images that a JOINT epoch ends. */
  private boolean precedesJoint(EpochPlan plan) {
    return plan.phase() == Phase.MIX
        && plan.objective() == Objective.SL
        && epochs.stream().anyMatch(other -> other.objective() == Objective.JOINT);
  }

  /**
   * The plan with early stopping: a run whose patience is exhausted ends after {@code
   * early-stopping.cooldown} more epochs, in which the learning rate falls from its current value
   * to {@code min-lr} along half a cosine. If no more epochs than these are left, the plan does not
   * change.
   */
  public MixSchedule endedBy(Patience patience, JobConfig config) {
    int from = patience.end();
    int end = from + config.earlyStopping().cooldown();
    if (!patience.exhausted() || end >= epochs.size()) {
      return this;
    }
    LearningRate falling =
        new LearningRate(
            epochs.get(from).learningRate().at(from),
            config.optimizer().rates().minLr(),
            0,
            from,
            end - from);
    return new MixSchedule(
        epochs.subList(0, end).stream()
            .map(plan -> plan.epoch() < from ? plan : plan.ending(end, falling))
            .toList());
  }

  /** One line an epoch: phase, objective, pass, learning rate, alpha, mask ratio; then totals. */
  public String describe() {
    StringBuilder text = new StringBuilder();
    line(text, "epoch", "phase", "objective", "pass", "lr", "alpha", "mask");
    for (EpochPlan plan : epochs) {
      line(
          text,
          String.valueOf(plan.epoch() + 1),
          plan.phase().name(),
          plan.objective().name(),
          plan.objective() == Objective.JOINT ? KebabCase.of(plan.input().pass()) : "-",
          number("%.2e", plan.learningRate(0, 1))
              + " -> "
              + number("%.2e", plan.learningRate(1, 1)),
          number("%.3f", plan.alpha()),
          masks(plan));
    }
    text.append("total ").append(epochs.size());
    for (Phase phase : Phase.values()) {
      long count = epochs.stream().filter(plan -> plan.phase() == phase).count();
      text.append(", ").append(phase).append(' ').append(count);
    }
    return text.append('\n').toString();
  }

  private static String masks(EpochPlan plan) {
    if (plan.input() == EncoderInput.FULL) {
      return "-";
    }
    String mask = number("%.3f", plan.maskRatio());
    return plan.unlabelledApart()
        ? mask
            + number("; unlabelled %.3f", plan.maskRatio(false))
            + number(", %.3f of them visited", plan.visitedUnlabelled().share())
        : mask;
  }

  /** An epoch without its position in the run. */
  private record Step(
      Phase phase,
      Objective objective,
      EncoderInput input,
      double alpha,
      double maskRatio,
      Unlabelled unlabelled) {

    Step in(Phase other) {
      return new Step(other, objective, input, alpha, maskRatio, unlabelled);
    }
  }

  private static void repeat(List<Step> steps, int times, Step step) {
    steps.addAll(Collections.nCopies(times, step));
  }

  /** An SL epoch, which sees whole images if no patch is masked. */
  private static Step supervised(double maskRatio) {
    EncoderInput input = maskRatio > 0 ? EncoderInput.VISIBLE : EncoderInput.FULL;
    return new Step(Phase.SL, Objective.SL, input, 0, maskRatio, null);
  }

  private static void supervised(List<Step> steps, int times, Curve dropout) {
    for (int i = 0; i < times; i++) {
      steps.add(supervised(dropout.at((i + 0.5) / times)));
    }
  }

  private static void joint(
      List<Step> steps, int times, MixPass pass, int labelPasses, JobConfig config) {
    MixConfig mix = config.mix();
    boolean apart = pass == MixPass.VISIBLE && config.data().hasUnlabelled();
    double hidden = config.model().maskRatio();
    Slice visited = Slice.NONE;
    for (int i = 0; i < times; i++) {
      double centre = (i + 0.5) / times;
      visited = visited.next(mix.unlabelledFraction().at(centre));
      repeat(steps, labelPasses - 1, supervised(hidden).in(Phase.MIX));
      steps.add(
          new Step(
              Phase.MIX,
              Objective.JOINT,
              EncoderInput.of(Objective.JOINT, pass),
              mix.alpha().at(centre),
              mix.maskRatio().at(centre),
              apart ? new Unlabelled(hidden, visited) : null));
    }
  }

  private static MixSchedule dated(List<Step> steps, OptimizerConfig optimizer) {
    List<EpochPlan> plans = new ArrayList<>();
    for (Step step : steps) {
      plans.add(
          new EpochPlan(
              plans.size(),
              steps.size(),
              step.phase(),
              step.objective(),
              step.input(),
              step.alpha(),
              step.maskRatio(),
              step.unlabelled(),
              rate(step.phase(), steps, optimizer),
              optimizer.clip(),
              optimizer.accumulate()));
    }
    return new MixSchedule(plans);
  }

  private static LearningRate rate(Phase phase, List<Step> steps, OptimizerConfig optimizer) {
    OptimizerConfig.Rates rates = optimizer.rates();
    List<Phase> phases = steps.stream().map(Step::phase).toList();
    boolean whole = rates.schedule() == Span.RUN;
    int start = whole ? 0 : phases.indexOf(phase);
    int epochs = whole ? steps.size() : Collections.frequency(phases, phase);
    return new LearningRate(optimizer.peak(), rates.minLr(), rates.warmup(), start, epochs);
  }

  private static void line(StringBuilder text, String... cells) {
    text.append(
        String.format(Locale.ROOT, "%5s  %-5s  %-9s  %-9s  %-20s  %-5s  %s", (Object[]) cells)
            .stripTrailing());
    text.append('\n');
  }

  private static String number(String format, double value) {
    return String.format(Locale.ROOT, format, value);
  }
}
