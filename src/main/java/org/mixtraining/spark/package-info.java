/**
 * Spark as the {@link org.mixtraining.spark.SparkBackend} of a run: it trains its epochs, through
 * dl4j-spark, and scores its models on the executors. For {@code jobs} and what lies above.
 *
 * <p>In each round of an epoch, worker w is partition w of a plain Spark stage, wherever that runs.
 * Everything it needs is in its shards, in broadcasts and in the state that the round begins with,
 * so a lost task is simply run again, with the same result to the bit. A {@link
 * org.mixtraining.spark.exchange.StateExchange} averages the workers on the driver, in the
 * executors' blocks or by a shuffle, to the same bits; of blocks that died with an executor, an
 * epoch begins again.
 *
 * <p>On a cluster, {@link org.mixtraining.spark.ResourcePlan} says beforehand what a run takes, and
 * {@code WorkerDevices} asks Spark for a GPU for each worker of the stages that train or score.
 *
 * <p>Several runs may train in one session, a thread each. A {@link
 * org.mixtraining.spark.FrozenModel} is a trained model that is only looked at; a {@link
 * org.mixtraining.spark.ClusterPrediction} lets one predict images where they are read. While an
 * epoch lasts, a {@link org.mixtraining.spark.TrainingPlugin} tells the driver how far the
 * executors are.
 */
package org.mixtraining.spark;
