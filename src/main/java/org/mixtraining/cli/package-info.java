/**
 * The commands: one small class each, all of them subcommands of {@link org.mixtraining.cli.Main}.
 *
 * <p>Results and tables go to standard output; progress and logs to standard error. Exit codes: 0
 * done, 1 failed, 2 bad input (arguments, configuration, data), 3 interrupted and resumable.
 */
package org.mixtraining.cli;
