/**
 * One worker's part of an epoch: minibatches through a replica, metrics out; and evaluation.
 *
 * <p>It runs inside a Spark task but does not know it: what a worker computes depends on the plan,
 * the state and its images alone, so it can be run, and tested, without a cluster.
 */
package org.mixtraining.train;
