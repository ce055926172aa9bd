/**
 * Configuration of the commands. {@link org.mixtraining.config.JobConfig} is read once from HOCON:
 * {@code reference.conf} holds every key with its default and its comment, a file overrides it, and
 * {@code -D key=value} overrides the file. All problems are reported together, each on one line
 * with its key, its value, what is allowed and where it was written, as one {@link
 * org.mixtraining.config.UserException}. Everything after that can trust the records.
 *
 * <p>A {@link org.mixtraining.config.Comparison} is many of them, each read like any other: the
 * same keys under the blocks of its dataset and its arm. {@link
 * org.mixtraining.config.hocon.ResolvedSetting} is a key of a configuration that is over, as a
 * record of it tells.
 */
package org.mixtraining.config;
