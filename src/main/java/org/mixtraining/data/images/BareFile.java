package org.mixtraining.data.images;

/**
 * An image file without what its pixels do not depend on: previews, colour profiles, texts,
 * transparency, videos. Readers stumble over these, take them for parts of the image, or are made
 * to inflate them without limit.
 *
 * @param bytes a file of the same format
 * @param orientation how its image is stored
 * @param pixelBytes heap that a reader takes for a pixel, at most
 */
record BareFile(byte[] bytes, Orientation orientation, int pixelBytes) {}
