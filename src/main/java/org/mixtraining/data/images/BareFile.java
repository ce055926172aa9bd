package org.mixtraining.data.images;

/**
 * An image file stripped of everything that its pixels do not depend on: previews, colour profiles,
 * texts, transparency, videos. Readers fail on these, take them for parts of the image, or inflate
 * them without limit.
 *
 * @param bytes a file of the same format
 * @param orientation how its image is stored
 * @param pixelBytes upper bound of a reader's heap use per pixel
 */
record BareFile(byte[] bytes, Orientation orientation, int pixelBytes) {}
