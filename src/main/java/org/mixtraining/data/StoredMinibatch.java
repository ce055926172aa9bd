package org.mixtraining.data;

/**
 * The images of one training step, before augmentation and normalisation.
 *
 * @param ids n dataset-wide image ids
 * @param labels n class indices; {@link Minibatch#UNLABELLED} where the label may not be used
 * @param pixels uint8 [n, channels, size, size]
 */
public record StoredMinibatch(long[] ids, int[] labels, byte[] pixels, int channels, int size) {}
