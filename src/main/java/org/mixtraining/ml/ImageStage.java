package org.mixtraining.ml;

import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.Params;

/** A stage that reads a column of images: the setters that such stages have in common. */
interface ImageStage<S extends ImageStage<S>> extends Params {

  /** Names the column that says why an image cannot be used; "" for none. */
  default S setErrorCol(String name) {
    return setting("errorCol", name);
  }

  /** Chooses what becomes of rows whose image cannot be used: keep, skip or error. */
  default S setHandleInvalid(String choice) {
    return setting("handleInvalid", choice);
  }

  /** Sets a param of text, by its name. */
  @SuppressWarnings("unchecked")
  default S setting(String param, String value) {
    set((Param<String>) (Param<?>) getParam(param), value);
    return (S) this;
  }

  /** A stage that names classes. */
  interface OfClasses<S extends OfClasses<S>> extends ImageStage<S> {

    /** Names the column of images. */
    default S setFeaturesCol(String name) {
      return setting("featuresCol", name);
    }

    /** Names the column of the most probable class's index, a double. */
    default S setPredictionCol(String name) {
      return setting("predictionCol", name);
    }

    /** Names the column of class probabilities, a vector. */
    default S setProbabilityCol(String name) {
      return setting("probabilityCol", name);
    }

    /** Names the column of the probabilities' logarithms, a vector. */
    default S setRawPredictionCol(String name) {
      return setting("rawPredictionCol", name);
    }
  }
}
