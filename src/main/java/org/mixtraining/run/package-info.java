/**
 * A run, epoch by epoch, without Spark: {@link org.mixtraining.run.TrainingLoop} plans, trains,
 * scores and writes, and reads from top to bottom on one page.
 *
 * <p>Who trains, scores and writes are interfaces: {@link org.mixtraining.run.EpochTrainer} and
 * {@link org.mixtraining.run.Evaluator} of a {@link org.mixtraining.run.Backend}, and {@link
 * org.mixtraining.run.EpochSink}: tables, checkpoints, trackers.
 *
 * <p>A worker is a logical replica, 0 to W − 1, with image shards of its own by the {@link
 * org.mixtraining.run.ShardAssignment}. The {@link org.mixtraining.run.RoundAverage} of the
 * workers' parameters and AdamW moments is summed in worker order, weighted by the images that
 * trained each block; the model then takes an {@link org.mixtraining.run.OuterStep} towards it, by
 * default all the way. Between two epochs a run is its {@link org.mixtraining.run.RunState} and
 * nothing else: who keeps that can go on from there, to the same bits.
 *
 * <p>For {@code spark}, {@code results}, {@code checkpoint}, {@code tracking} and what lies above.
 */
package org.mixtraining.run;
