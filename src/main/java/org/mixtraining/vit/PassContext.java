package org.mixtraining.vit;

import org.mixtraining.schedule.EpochPlan;

/**
 * The context of a pass through a graph: everything it depends on except parameters, minibatch and
 * the immutable layer configurations. A {@link Replica} hands it to all layers.
 *
 * @param vit the model, serving the minibatch's images and task with the step's mask ratio
 * @param sslWeight factor on the reconstruction's loss
 * @param slWeight factor on the classification's loss
 * @param epoch position in the run, from 0
 * @param ids of the minibatch's images; null if nobody named them
 */
public record PassContext(ViT vit, double sslWeight, double slWeight, int epoch, long[] ids) {

  /** That of a graph which nobody planned an epoch for: a plain Deeplearning4j model. */
  public static PassContext of(ViT vit) {
    return new PassContext(vit, 1, 1, 0, null);
  }

  /** An epoch's: the weights of the two losses, and the mask ratio. */
  PassContext with(EpochPlan plan) {
    return new PassContext(
        vit.masking(plan.maskRatio()), plan.alpha(), 1 - plan.alpha(), plan.epoch(), ids);
  }

  /** With another mask ratio. */
  PassContext masking(double ratio) {
    return new PassContext(vit.masking(ratio), sslWeight, slWeight, epoch, ids);
  }

  /** For a part of a minibatch, with the part that its losses have in those of the whole. */
  PassContext weighing(Part part) {
    return new PassContext(
        vit, sslWeight * part.ofImages(), slWeight * part.ofLabels(), epoch, ids);
  }

  /** For images of a size, and the task of so many classes. */
  PassContext serving(int imageSize, int classes) {
    Served served = new Served(imageSize, classes, vit.served().maskRatio());
    return new PassContext(vit.serving(served), sslWeight, slWeight, epoch, ids);
  }

  /** A step's: on images of these ids. */
  PassContext on(long[] ids) {
    return new PassContext(vit, sslWeight, slWeight, epoch, ids);
  }
}
