package org.mixtraining.data;

/**
 * The images of one training step, before augmentation and normalisation.
 *
 * @param ids n dataset-wide image ids
 * @param labels n class indices; {@link Minibatch#UNLABELLED} where the label may not be used
 * @param places their indices in the set
 */
public record StoredMinibatch(long[] ids, int[] labels, ImageSet images, int[] places) {}
