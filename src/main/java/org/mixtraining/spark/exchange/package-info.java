/**
 * The exchanges that average the workers of a round in a Spark session, and where workers run best.
 * For {@code spark} alone.
 */
package org.mixtraining.spark.exchange;
