package org.mixtraining.config.hocon;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigObject;
import com.typesafe.config.ConfigValue;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** The keys of {@code reference.conf}, with the comments that explain them. */
public final class Reference {

  private Reference() {}

  static Config load() {
    return ConfigFactory.parseResources(Reference.class.getClassLoader(), "reference.conf");
  }

  /** The comment of each key in one line; keys without the leading {@code mixtraining.}. */
  public static SortedMap<String, String> comments() {
    SortedMap<String, String> comments = new TreeMap<>();
    list(load().getObject(Sources.ROOT), "", comments);
    return comments;
  }

  private static void list(ConfigObject block, String prefix, SortedMap<String, String> comments) {
    block.forEach(
        (name, value) -> {
          if (value instanceof ConfigObject inner && !inner.isEmpty()) {
            list(inner, prefix + name + ".", comments);
          } else {
            comments.put(prefix + name, comment(value));
          }
        });
  }

  private static String comment(ConfigValue value) {
    return value.origin().comments().stream().map(String::strip).collect(Collectors.joining(" "));
  }
}
