/**
 * Optimizer operations on flat parameters and gradients, on all of an engine's threads: the AdamW
 * update and the clipping of the gradient's norm. Its configuration is {@link
 * org.mixtraining.vit.AdamW}.
 *
 * <p>Used by {@code vit} alone.
 */
package org.mixtraining.vit.optim;
