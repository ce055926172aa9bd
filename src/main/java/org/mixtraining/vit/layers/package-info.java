/**
 * Forward and backward passes of the layers that {@code vit} configures, by hand, on the kernels of
 * the thread's engine. Activations are token matrices [rows, dim]: one row a token, images one
 * after another, the class token first in each.
 *
 * <p>A {@link org.mixtraining.vit.layers.TokenLayer} has named views of its packed parameters, and
 * reads what changes by step from the replica's context. Used by {@code vit} alone, which makes
 * them from its configurations, as Deeplearning4j's {@code nn.layers} are by {@code
 * nn.conf.layers}.
 */
package org.mixtraining.vit.layers;
