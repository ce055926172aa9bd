/**
 * The API for other programs: {@link org.mixtraining.api.MixTrainingModel}, a trained model that
 * says what is in an image, to a Java program and to Spark.
 */
package org.mixtraining.api;
