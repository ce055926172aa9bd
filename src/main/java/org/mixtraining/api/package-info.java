/**
 * The API for other programs, over {@code jobs}: {@link org.mixtraining.api.MixTraining} trains,
 * and a {@link org.mixtraining.api.MixTrainingModel} is a trained model that says what is in an
 * image, to a Java program and to Spark.
 */
package org.mixtraining.api;
