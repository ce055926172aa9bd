/**
 * Who else is told how a run goes: {@link org.mixtraining.tracking.TensorBoard} by event files,
 * {@link org.mixtraining.tracking.Mlflow} over REST. They are {@link
 * org.mixtraining.results.RunObserver}s of the rows that the result tables get, and {@link
 * org.mixtraining.tracking.Trackers} sees to it that nothing that goes wrong with them reaches the
 * training.
 */
package org.mixtraining.tracking;
