/**
 * One worker's part of an epoch: {@link org.mixtraining.train.TrainingBatch minibatches} through a
 * replica, metrics out; and evaluation. {@link org.mixtraining.train.WorkerBatches} makes those of
 * one task; of several, {@link org.mixtraining.train.InterleavedTasks} takes them in turn.
 *
 * <p>Who takes the steps is a {@link org.mixtraining.train.StepExecutor}: the replica's own graph,
 * or the device of a {@link org.mixtraining.train.StepAccelerator}.
 *
 * <p>What an encoder has learned without labels is judged on its {@link
 * org.mixtraining.train.Features}, frozen: by a {@link org.mixtraining.train.LinearProbe} and by
 * {@link org.mixtraining.train.NearestNeighbours}.
 *
 * <p>A {@link org.mixtraining.train.Classifier} is a trained model at work.
 *
 * <p>It runs inside a Spark task but does not know it: what a worker computes depends on the plan,
 * the state and its images alone, so it can be run, and tested, without a cluster.
 */
package org.mixtraining.train;
