/**
 * The distributed run: {@link org.mixtraining.spark.MixTrainingRun} is the driver's loop over the
 * epochs of a schedule; {@link org.mixtraining.spark.EpochAveragingTrainingMaster} trains one of
 * them on Spark executors through dl4j-spark.
 *
 * <p>A worker is a logical replica, 0 to W − 1, with its own image shards: partition w of a plain
 * Spark stage, wherever that runs. Everything it needs is in its shards and in one broadcast, so a
 * lost task is simply run again, with the same result to the bit. The average of the workers'
 * parameters and AdamW moments is summed in worker order, weighted by the images that trained each
 * block: a {@link org.mixtraining.spark.StateExchange} does it on the driver or by a shuffle, to
 * the same bits. The model then takes an {@link org.mixtraining.spark.OuterStep} towards it, by
 * default all the way.
 *
 * <p>On a cluster, {@link org.mixtraining.spark.ResourcePlan} says beforehand what a run takes, and
 * {@code WorkerDevices} asks Spark for a GPU for each worker of the stages that train or score. A
 * {@link org.mixtraining.spark.ShardAssignment} gives slower workers fewer shards, if that is
 * wanted.
 *
 * <p>Several runs may train in one session, a thread each. A {@link
 * org.mixtraining.spark.FrozenModel} is a trained model that is only looked at; a {@link
 * org.mixtraining.spark.ClusterPrediction} lets one predict images where they are read.
 *
 * <p>While an epoch lasts, a {@link org.mixtraining.spark.TrainingPlugin} tells the driver how far
 * the executors are. Between two epochs a run is its {@link org.mixtraining.spark.RunState} and
 * nothing else: who keeps that can go on from there.
 */
package org.mixtraining.spark;
