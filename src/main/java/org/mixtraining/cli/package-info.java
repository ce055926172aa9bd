/**
 * The commands: one small class each, all of them subcommands of {@link org.mixtraining.cli.Main}.
 *
 * <p>What they do is in {@code jobs} and below. {@link org.mixtraining.cli.ReportCommand} brings
 * the images of a report, which the tables do not hold.
 *
 * <p>A training can be {@link org.mixtraining.cli.Watching watched}, on a terminal by a {@link
 * org.mixtraining.cli.LiveLine}.
 *
 * <p>Results and tables go to standard output; progress and logs to standard error. Exit codes: 0
 * done, 1 failed, 2 bad input (arguments, configuration, data), 3 interrupted and resumable, 4
 * another process is training the run.
 */
package org.mixtraining.cli;
