/**
 * Training and models as stages of a spark.ml pipeline: {@link
 * org.mixtraining.ml.MixTrainingClassifier} trains on a DataFrame of images, and a {@link
 * org.mixtraining.ml.MixTrainingClassificationModel} or a {@link
 * org.mixtraining.ml.MixTrainingFeaturizer} adds its columns to one.
 */
package org.mixtraining.ml;
