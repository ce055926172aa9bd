package org.mixtraining.results;

import java.util.ArrayList;
import java.util.List;

/** Splitter of SQL text into statements, at the semicolons outside quotes and comments. */
final class Statements {
  private final String sql;
  private final List<String> statements = new ArrayList<>();
  private int start;
  private boolean empty = true;

  private Statements(String sql) {
    this.sql = sql;
  }

  /** The statements in order, without their semicolons; those of nothing but comments left out. */
  static List<String> split(String sql) {
    // Files that were put together may each begin with a byte order mark.
    Statements statements = new Statements(sql.replaceAll("(?m)^\uFEFF", ""));
    statements.scan();
    return List.copyOf(statements.statements);
  }

  private void scan() {
    int at = 0;
    while (at < sql.length()) {
      char c = sql.charAt(at);
      if (c == ';') {
        end(at++);
      } else if (sql.startsWith("--", at)) {
        at = after("\n", at);
      } else if (sql.startsWith("/*", at)) {
        at = afterComment(at);
      } else {
        empty &= Character.isWhitespace(c);
        at = c == '\'' || c == '"' || c == '`' ? afterQuote(c, at) : at + 1;
      }
    }
    end(at);
  }

  private void end(int at) {
    if (!empty) {
      statements.add(sql.substring(start, at).strip());
    }
    start = at + 1;
    empty = true;
  }

  private int after(String mark, int from) {
    int at = sql.indexOf(mark, from);
    return at < 0 ? sql.length() : at + mark.length();
  }

  /** Spark's comments nest. */
  private int afterComment(int from) {
    int depth = 0;
    for (int at = from; at < sql.length(); at++) {
      if (sql.startsWith("/*", at)) {
        depth++;
        at++;
      } else if (sql.startsWith("*/", at)) {
        depth--;
        at++;
        if (depth == 0) {
          return at + 1;
        }
      }
    }
    return sql.length();
  }

  /** A backslash escapes in 'text' and "text", but not in `names` and r'raw text'. */
  private int afterQuote(char quote, int from) {
    boolean escapes = quote != '`' && !isRaw(from);
    for (int at = from + 1; at < sql.length(); at++) {
      if (sql.charAt(at) == quote) {
        return at + 1;
      }
      if (escapes && sql.charAt(at) == '\\') {
        at++;
      }
    }
    return sql.length();
  }

  private boolean isRaw(int quote) {
    return quote > 0
        && Character.toLowerCase(sql.charAt(quote - 1)) == 'r'
        && (quote == 1 || !Character.isJavaIdentifierPart(sql.charAt(quote - 2)));
  }
}
