/**
 * The formats in which people have their images. Each opens a {@link
 * org.mixtraining.data.sources.Source}: class names, and {@code Piece}s that Spark tasks read on
 * their own. {@link org.mixtraining.data.sources.Inputs} are images without labels, to be
 * predicted.
 *
 * <p>Used by {@code data.prepare} and by the command {@code predict}; training reads shards only.
 */
package org.mixtraining.data.sources;
