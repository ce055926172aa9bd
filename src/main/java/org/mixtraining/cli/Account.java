package org.mixtraining.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.hadoop.security.UserGroupInformation;

/** The user account of this process in Hadoop. */
final class Account {
  private static final boolean NAMELESS = System.getProperty("user.name", "?").equals("?");

  private Account() {}

  /** Whether the system has no name for the user id, as is usual in containers. */
  static boolean isNameless() {
    return NAMELESS;
  }

  /** Gives Hadoop, which needs one, a name for a user without one. */
  static void named() {
    if (NAMELESS) {
      String given = System.getenv("HADOOP_USER_NAME");
      String name = given == null || given.isBlank() ? "user-" + id() : given;
      UserGroupInformation.setLoginUser(UserGroupInformation.createRemoteUser(name));
    }
  }

  private static String id() {
    try {
      return String.valueOf(Files.getAttribute(Path.of("/proc/self"), "unix:uid"));
    } catch (IOException | UnsupportedOperationException e) {
      return "unknown";
    }
  }
}
