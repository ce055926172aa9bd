/**
 * One image file to pixels: {@link org.mixtraining.data.images.ImageDecoder} reads JPEG and PNG
 * files from memory, upright and within a limit of pixels, and gives a {@link
 * org.mixtraining.data.images.RawImage}: pixels, or the reason why there are none.
 *
 * <p>Depends on no other package of {@code data}; those read their images by it.
 */
package org.mixtraining.data.images;
