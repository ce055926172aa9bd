/**
 * ViT and masked autoencoder as native Deeplearning4j layers, forward and backward by hand.
 *
 * <p>{@link org.mixtraining.vit.ViT} says what the model is; {@link org.mixtraining.vit.ViTGraph}
 * builds a ComputationGraph configuration for each objective from the same layers: patch embedding,
 * encoder blocks, encoder norm, then a decoder that reconstructs pixels (SSL), a head that names
 * classes (SL), or both (JOINT). Between epochs the truth is a {@link
 * org.mixtraining.vit.state.ModelState}: named parameter blocks with their AdamW moments and step
 * counts. A {@link org.mixtraining.vit.Replica} is a graph that loads the blocks it uses, trains,
 * and hands them back.
 *
 * <p>What was trained leaves as an {@link org.mixtraining.formats.OnnxModel} or a {@link
 * org.mixtraining.formats.ModelZip}; and as a {@link org.mixtraining.formats.PretrainedWeights}, of
 * this job or of timm, it is what another run begins from.
 *
 * <p>Activations are token matrices: one row a token, images one after another, the class token
 * first in each. Nothing here knows Spark.
 */
package org.mixtraining.vit;
