package org.mixtraining.config.hocon;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigRenderOptions;
import com.typesafe.config.ConfigValue;
import com.typesafe.config.ConfigValueType;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.Secrets;

/**
 * One key of a configuration with the value that it had.
 *
 * @param key without the leading {@code mixtraining.}
 * @param value as {@code -D} takes it; of a secret only that there was one
 * @param byDefault whether it need not be given
 */
public record ResolvedSetting(String key, String value, boolean byDefault) {

  /**
   * Every key, in their order.
   *
   * @param canonical {@link JobConfig#canonical()} of this version or an older one
   */
  public static List<ResolvedSetting> keys(String canonical) {
    Config defaults = block(JobConfig.load(Optional.empty(), List.of()).canonical());
    return block(canonical).entrySet().stream()
        .sorted(Comparator.comparing(Map.Entry::getKey))
        .map(
            entry ->
                new ResolvedSetting(
                    entry.getKey(),
                    text(entry.getValue()),
                    defaults.hasPath(entry.getKey())
                        && defaults.getValue(entry.getKey()).equals(entry.getValue())))
        .toList();
  }

  /** Whether the value was a secret, or an address with a password, which is not kept. */
  public boolean redacted() {
    return value.contains(Secrets.REDACTED);
  }

  private static Config block(String canonical) {
    return ConfigFactory.parseString(canonical).getConfig("mixtraining");
  }

  /** A text that would be read as HOCON is quoted; any other stands as it is. */
  private static String text(ConfigValue value) {
    if (value.valueType() != ConfigValueType.STRING) {
      return value.render(ConfigRenderOptions.concise());
    }
    String text = (String) value.unwrapped();
    return text.matches("(?s)[\\[{\"].*") ? value.render(ConfigRenderOptions.concise()) : text;
  }
}
