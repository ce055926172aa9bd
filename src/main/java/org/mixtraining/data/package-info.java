/**
 * Datasets: from raw files to the minibatches that a worker trains on.
 *
 * <p>{@link org.mixtraining.data.sources} opens what people have, {@link
 * org.mixtraining.data.images} decodes it, {@link org.mixtraining.data.prepare} makes a dataset of
 * it, once: Parquet shards and a {@link org.mixtraining.data.DatasetManifest}. Files are not
 * trusted: a damaged or hostile one leads to a row of the quarantine or a message that names it,
 * and memory is bounded by the configured limits, not by the sizes that a header declares.
 *
 * <p>In the dataset every image has its <em>quantile</em>, its position in the seeded order of its
 * class; the share f of a split is the images with a quantile below f, which is stratified by
 * class, nested for growing f and fixed by the seed.
 *
 * <p>A worker then reads its own {@link org.mixtraining.data.Shards} into an {@link
 * org.mixtraining.data.ImageSet}, kept outside the heap, on disk or in the shards alone, and passes
 * over its {@link org.mixtraining.data.Share} of it in {@link org.mixtraining.data.Minibatches},
 * shuffled (in {@code Windows} of row groups, if the configuration says so) and augmented (see
 * {@link org.mixtraining.data.augment}) by (seed, epoch, image id). No pixel ever goes to the
 * driver, except for the few that are displayed ({@link org.mixtraining.data.preview}).
 */
package org.mixtraining.data;
