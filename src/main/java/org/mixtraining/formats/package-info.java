/**
 * The files that models are kept in, and the programs that they go to and come from: safetensors
 * ({@link org.mixtraining.formats.TensorFile}), ONNX ({@link org.mixtraining.formats.OnnxModel}), a
 * Deeplearning4j zip ({@link org.mixtraining.formats.ModelZip}), and timm's or MAE's weights
 * ({@link org.mixtraining.formats.TimmWeights}).
 *
 * <p>A {@link org.mixtraining.formats.TrainedModel} is parameters and a {@link
 * org.mixtraining.formats.ModelCard}, which says what images they are for and what the classes are
 * called. {@link org.mixtraining.formats.PretrainedWeights} are what a run can begin from.
 *
 * <p>Files are data, never objects, and are not trusted: one that is cut off, altered or of another
 * kind is refused by its name. It stands on {@code vit} and {@code data}; training, checkpoints and
 * the commands use it.
 */
package org.mixtraining.formats;
