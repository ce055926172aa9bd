/**
 * Experiment trackers: {@link org.mixtraining.tracking.TensorBoard} by event files, {@link
 * org.mixtraining.tracking.Mlflow} over REST. They are {@link org.mixtraining.results.RunObserver}s
 * of the rows that the result tables get, and {@link org.mixtraining.tracking.Trackers} keeps their
 * failures away from the training.
 */
package org.mixtraining.tracking;
