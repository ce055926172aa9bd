/**
 * The job that makes a dataset of image shards from a source, once: {@link
 * org.mixtraining.data.prepare.Prepare} decodes in Spark tasks, assigns every image its split,
 * quantile and shard, writes the shards, and keeps a {@code Quarantine} table of the images that
 * could not be used.
 *
 * <p>Used by commands and jobs; what it writes is read by {@code data}.
 */
package org.mixtraining.data.prepare;
