/**
 * The state of a model between epochs: a {@link org.mixtraining.vit.state.ModelState} is named
 * blocks of parameters with their AdamW moments and step counts. Which tensor lies where in a block
 * says {@link org.mixtraining.vit.ModelSpec}.
 *
 * <p>Graphs load it and hand it back; averages, checkpoints and model files are made of it.
 */
package org.mixtraining.vit.state;
