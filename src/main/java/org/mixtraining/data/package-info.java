/**
 * From the files that people have to the minibatches that a worker trains on.
 *
 * <p>A format's class ({@code Cifar}, {@code TinyImageNet}, {@code Folder}, {@code Idx}, {@code
 * ParquetImages}, {@code Synthetic}) opens a {@code Source}: class names, and pieces that Spark
 * tasks read on their own. {@link org.mixtraining.data.prepare.Prepare} makes a dataset of it,
 * once. {@code Decoding} turns every image into pixels of one size or a reason why it has none; the
 * latter go to the {@code Quarantine} table, the others to Parquet shards and a {@link
 * org.mixtraining.data.DatasetManifest}. Files are not trusted: what a damaged or hostile one leads
 * to is a row of the quarantine or a message that names it, and memory is bounded by the sizes that
 * are allowed, not by those that a header declares.
 *
 * <p>In the dataset every image has its <em>quantile</em>, its place in the seeded order of its
 * class; the share f of a split is the images with a quantile below f, which is stratified by
 * class, nested for growing f and fixed by the seed.
 *
 * <p>A worker then reads its own {@link org.mixtraining.data.Shards} into an {@link
 * org.mixtraining.data.ImageSet} outside the heap, and passes over its {@link
 * org.mixtraining.data.Share} of it in {@link org.mixtraining.data.Minibatches}, shuffled and
 * augmented (see {@link org.mixtraining.data.augment}) by (seed, epoch, image id) alone. No pixel
 * ever goes to the driver, except for the few that are to be looked at: in a {@link
 * org.mixtraining.data.preview.Preview}, as {@link org.mixtraining.data.preview.Thumbnails}, or
 * with their {@link org.mixtraining.data.preview.Completions}.
 *
 * <p>Images without labels, to be predicted, are {@link org.mixtraining.data.sources.Inputs}:
 * decoded and scaled the same way, and likewise each an image or the reason why not.
 */
package org.mixtraining.data;
