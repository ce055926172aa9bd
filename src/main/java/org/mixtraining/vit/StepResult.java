package org.mixtraining.vit;

/**
 * Losses and accuracy of a training step, before its update.
 *
 * @param loss the weighted sum of the losses
 * @param sslLoss mean squared error over masked patches; NaN in SL
 * @param slLoss mean cross-entropy over labelled images; NaN in SSL
 * @param correct labelled images whose most probable class was their label's
 * @param labelled images with a label
 */
public record StepResult(double loss, double sslLoss, double slLoss, int correct, int labelled) {}
