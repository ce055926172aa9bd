/**
 * HOCON texts of configurations: {@link org.mixtraining.config.hocon.Settings} reads typed values
 * and collects every problem with its key and position, {@link
 * org.mixtraining.config.hocon.Canonical} writes a configuration as the text that a run is recorded
 * with, and {@link org.mixtraining.config.hocon.ConfigDiff} compares two of those.
 *
 * <p>Used by the blocks of {@code config}, and by what reads a run's record.
 */
package org.mixtraining.config.hocon;
