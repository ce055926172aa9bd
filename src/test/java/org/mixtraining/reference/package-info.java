/**
 * A second, independent implementation of the model, slow and plain, that the production layers are
 * held against.
 *
 * <p>Everything is {@code double} and row-major. {@link org.mixtraining.reference.Tape} is a
 * reverse-mode autodiff of a dozen matrix operations, {@link
 * org.mixtraining.reference.ReferenceViT} writes the whole network on it one image at a time, and
 * {@link org.mixtraining.reference.AdamWReference} is one step of the optimizer. Nothing is shared
 * with the kernels or the layers, so an error would have to be made twice to go unseen. The
 * reference itself is held against finite differences and against figures from PyTorch.
 */
package org.mixtraining.reference;
