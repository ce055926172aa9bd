/**
 * Whole training steps and predictions on a GPU.
 *
 * <p>{@link org.mixtraining.gpu.GpuSteps} takes parameters and optimizer state out of a replica,
 * the steps of its epoch on the device, and puts the state back. A {@link
 * org.mixtraining.gpu.StepProgram} says which kernels (they lie in {@code src/main/cuda}) and
 * matrix products a step of one shape is, in which order and on which memory; it is captured once,
 * and launched again with other images and {@link org.mixtraining.gpu.StepSettings}. Nothing is
 * allocated, and only losses are copied back, between the beginning and the end of an epoch.
 *
 * <p>{@link org.mixtraining.gpu.GpuPredictor} scores a model on the device, and predicts masked
 * patches, by the forward half of the same program.
 *
 * <p>What it needs of a device is {@link org.mixtraining.gpu.Gpu}. The driver of NVIDIA's is no
 * part of this build, but of the Maven profile {@code gpu}; the tests have one that runs the same
 * kernels on the CPU.
 */
package org.mixtraining.gpu;
