package org.mixtraining.schedule;

import java.io.Serializable;
import org.mixtraining.config.KebabCase;

/**
 * One epoch of a run: everything that its steps depend on besides data and state. The driver
 * broadcasts it to the workers.
 *
 * @param epoch position in the run, from 0
 * @param epochs length of the run
 * @param phase the part of the run it belongs to
 * @param objective what it minimises
 * @param input what the encoder sees of an image
 * @param alpha weight of the SSL loss: 1 for SSL, 0 for SL
 * @param maskRatio share of an image's patches that are masked; ignored where it sees them all
 * @param unlabelled how it treats images without a label, where they have minibatches of their own;
 *     else null
 * @param learningRate the schedule of the run or of the phase
 * @param clip greatest norm of a step's whole gradient; 0 is no limit
 * @param parts in which a worker takes each of its minibatches, their gradients summed
 */
public record EpochPlan(
    int epoch,
    int epochs,
    Phase phase,
    Objective objective,
    EncoderInput input,
    double alpha,
    double maskRatio,
    Unlabelled unlabelled,
    LearningRate learningRate,
    double clip,
    int parts)
    implements Serializable {

  /**
   * Images without a label in an epoch in which others have one.
   *
   * @param maskRatio share of their patches that are masked
   * @param visited those of them that the epoch visits
   */
  public record Unlabelled(double maskRatio, Slice visited) implements Serializable {}

  /** Phase and objective for display: "MIX joint", or "SL" where both are the same. */
  public String title() {
    return phase.name().equals(objective.name())
        ? phase.name()
        : phase + " " + KebabCase.of(objective);
  }

  /** The same in a run of another length, whose learning rate ends otherwise. */
  EpochPlan ending(int epochs, LearningRate rate) {
    return new EpochPlan(
        epoch, epochs, phase, objective, input, alpha, maskRatio, unlabelled, rate, clip, parts);
  }

  /** Whether images without a label have minibatches of their own. */
  public boolean unlabelledApart() {
    return unlabelled != null;
  }

  /** Share of the patches that are masked in a minibatch with labels, or in one without. */
  public double maskRatio(boolean labelled) {
    return labelled || !unlabelledApart() ? maskRatio : unlabelled.maskRatio();
  }

  /** The images without a label that it visits. */
  public Slice visitedUnlabelled() {
    return unlabelledApart() ? unlabelled.visited() : Slice.ALL;
  }

  /** The learning rate of a step, of {@code steps} in this epoch. */
  public double learningRate(int step, int steps) {
    return learningRate.at(epoch + (double) step / steps);
  }
}
