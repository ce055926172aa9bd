/**
 * ViT and masked autoencoder as native Deeplearning4j layers, forward and backward by hand.
 *
 * <p>{@link org.mixtraining.vit.ViT} says what the model is; {@link org.mixtraining.vit.ViTGraph}
 * builds a ComputationGraph configuration for each objective from the same layers: patch embedding,
 * encoder blocks, encoder norm, then a decoder that reconstructs pixels (SSL), a head that names
 * classes (SL), or both (JOINT). Between epochs the source of truth is a {@link
 * org.mixtraining.vit.state.ModelState}: named parameter blocks with their AdamW moments and step
 * counts. A {@link org.mixtraining.vit.Replica} is a graph that loads the blocks it uses, trains,
 * and hands them back.
 *
 * <p>Configurations are here, as their names stand in the JSON of exported models; the passes of
 * the layers are in {@link org.mixtraining.vit.layers}, the optimizer's in {@link
 * org.mixtraining.vit.optim}. Nothing here knows Spark.
 */
package org.mixtraining.vit;
