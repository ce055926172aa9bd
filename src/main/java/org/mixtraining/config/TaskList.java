package org.mixtraining.config;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.mixtraining.config.JobConfig.Task;

/** Reads {@code data.tasks}: a list of blocks with the keys name, path and, if not 1, weight. */
final class TaskList {
  static final String RANGE =
      "a list of { name = …, path = …, weight = 1 }: names different, of letters, digits and"
          + " . _ -, weights above 0";

  private static final Set<String> KEYS = Set.of("name", "path", "weight");
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]*");

  private TaskList() {}

  /**
   * @throws IllegalArgumentException if the text is no such list
   */
  static List<Task> parse(String text) {
    try {
      return ConfigFactory.parseString("tasks = " + text).getConfigList("tasks").stream()
          .map(TaskList::task)
          .toList();
    } catch (ConfigException e) {
      throw new IllegalArgumentException(text, e);
    }
  }

  private static Task task(Config block) {
    if (!KEYS.containsAll(block.root().keySet())) {
      throw new IllegalArgumentException("unknown key in " + block.root().keySet());
    }
    double weight = block.hasPath("weight") ? block.getDouble("weight") : 1;
    return new Task(block.getString("name"), Location.expanded(block.getString("path")), weight);
  }

  static boolean allowed(List<Task> tasks) {
    return tasks.stream().map(Task::name).distinct().count() == tasks.size()
        && tasks.stream()
            .allMatch(
                task ->
                    NAME.matcher(task.name()).matches()
                        && !task.path().isBlank()
                        && Location.problem(task.path()).isEmpty()
                        && Double.isFinite(task.weight())
                        && task.weight() > 0);
  }
}
