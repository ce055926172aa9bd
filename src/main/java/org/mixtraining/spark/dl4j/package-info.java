/**
 * dl4j-spark as the way that epochs are run on Spark. It is an adapter and nothing else: the only
 * package that knows {@code org.deeplearning4j.spark}. For {@code spark} alone.
 */
package org.mixtraining.spark.dl4j;
