/**
 * Augmentation of training images.
 *
 * <p>{@link org.mixtraining.data.augment.Augmentation} is a sequence of {@code Transform}s: crops,
 * flip, RandAugment's operations, erasing. They draw {@link org.mixtraining.data.augment.ImageOp}s,
 * which are done to a {@link org.mixtraining.data.augment.Canvas} here or by a device. {@link
 * org.mixtraining.data.augment.MixupCutmix} then mixes the images and targets of a whole minibatch:
 * mixup, cutmix. Each random number belongs to (seed, epoch, image id), and all arithmetic is
 * Java's strict one, so an image looks the same wherever and however often it is prepared.
 */
package org.mixtraining.data.augment;
