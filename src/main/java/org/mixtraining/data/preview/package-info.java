/**
 * Pictures for people: contact sheets of what each objective is given, of what a masked autoencoder
 * completes, and thumbnails for a report.
 *
 * <p>Used by commands only; these are the few pixels that ever reach the driver.
 */
package org.mixtraining.data.preview;
