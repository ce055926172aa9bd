/**
 * The commands: one small class each, all of them subcommands of {@link org.mixtraining.cli.Main}.
 *
 * <p>{@link org.mixtraining.cli.CompareCommand} trains many runs {@link
 * org.mixtraining.cli.ComparisonRunner} as its {@link org.mixtraining.cli.ComparisonPlan} says what
 * is left of them; what training one takes is {@link org.mixtraining.cli.RunTraining}, for it as
 * for {@link org.mixtraining.cli.TrainCommand}. {@link org.mixtraining.cli.ReportCommand} brings
 * the images of a report, which the tables do not hold.
 *
 * <p>A training can be {@link org.mixtraining.cli.Watching watched}, on a terminal by a {@link
 * org.mixtraining.cli.LiveLine}.
 *
 * <p>Results and tables go to standard output; progress and logs to standard error. Exit codes: 0
 * done, 1 failed, 2 bad input (arguments, configuration, data), 3 interrupted and resumable.
 */
package org.mixtraining.cli;
