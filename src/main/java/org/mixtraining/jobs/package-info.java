/**
 * Jobs from configuration to summary: a {@link org.mixtraining.jobs.TrainingJob} trains a run by
 * its id, and a {@link org.mixtraining.jobs.ComparisonRunner} those that a {@link
 * org.mixtraining.jobs.ComparisonPlan} says are left of many. For {@code api} and {@code cli},
 * which differ only in who asks; it knows no command line.
 */
package org.mixtraining.jobs;
